"""Commands that prove: audit, explain, replay, report."""
