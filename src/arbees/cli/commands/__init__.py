"""The commands, one room a group, as `--help` groups them."""
