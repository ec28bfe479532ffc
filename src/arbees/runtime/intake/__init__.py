"""Lets commands in, one after the other: the writer and what it looks up."""
