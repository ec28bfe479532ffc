"""The connection to Kalshi: keys, signatures, rate budget, REST calls, sockets."""
