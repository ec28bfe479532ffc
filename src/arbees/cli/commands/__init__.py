"""The commands, by what an operator wants: watch, act, prove, prepare, rehearse."""
