"""The simulated Kalshi's engine: markets, matching, money, and what goes wrong."""
