"""Execution quality: fill rate, slippage, latencies, folded from the journal."""
