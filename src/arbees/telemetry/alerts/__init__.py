"""Alerts: which there are, which are raised now, their record, the daily digest."""
