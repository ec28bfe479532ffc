"""Looks back: timelines, receipts and their proof, what-if, reports, rebuilt books."""
