"""Markets of Kalshi: what is known of each, and their live books."""
