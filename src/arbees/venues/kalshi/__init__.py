"""Kalshi: requests signed ahead, answers classified by what they prove, reads that may lag."""
