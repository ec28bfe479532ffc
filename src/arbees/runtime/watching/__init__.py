"""Watches by itself: monitors, marks, markets, and reconciliation with the venues."""
