"""The WebSocket side of the simulated Kalshi."""
