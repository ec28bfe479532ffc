"""Proves a journal: chain, witness, indexes, and the independent verifier."""
