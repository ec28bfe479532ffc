"""Is the operator's hand: one file a command.

Data goes to stdout, messages to stderr, and the exit code says what happened.
"""
