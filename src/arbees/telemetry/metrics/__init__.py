"""Metrics: the closed catalogue, counters, and the text that a monitor reads."""
