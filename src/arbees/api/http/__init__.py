"""HTTP: connections, bounds, access, problems, and the application behind them."""
