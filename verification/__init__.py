"""Lets us trust it: torture, crash points, load, fault matrix. Not shipped."""
