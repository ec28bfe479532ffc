"""Orders and the account at Kalshi: placed, cancelled, found, counted."""
