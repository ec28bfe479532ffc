"""Decisions: commands in, events out. The one place that approves an order. Pure."""
