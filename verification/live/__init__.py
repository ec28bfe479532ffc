"""Live trading against a simulated exchange: fault matrix, halts, recorded evenings."""
