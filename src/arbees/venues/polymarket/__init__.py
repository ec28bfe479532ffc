"""Polymarket. No live adapter yet: what is known of the venue."""
