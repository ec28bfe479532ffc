"""Orders: how one lives, and how what a venue shows of one is held against it. Pure."""
