"""Measures what Arbees costs against the design's targets; `make bench` runs them all."""
