"""The stack that a good engineer writes in an afternoon, and Arbees beside it."""
