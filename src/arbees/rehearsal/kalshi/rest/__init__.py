"""The REST side of the simulated Kalshi."""
