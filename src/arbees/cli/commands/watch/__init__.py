"""Commands that watch: status, orders, positions, balances, safeguards, alerts, report."""
