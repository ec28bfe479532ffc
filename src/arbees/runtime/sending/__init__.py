"""Sends, cancels and stops: dispatcher, gate, breaker, halts, sweeps, flattening."""
