"""Prove the promises: folders mirror `src/arbees`, fakes are written by hand."""
