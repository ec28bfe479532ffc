"""Puts the parts together, and is the only place that does."""
