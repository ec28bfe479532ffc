"""Commands that look: status, orders, positions, balances, safeguards, alerts."""
