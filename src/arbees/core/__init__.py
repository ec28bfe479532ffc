"""Decides. Pure: requests, orders, positions, exposure, the book, `decide` and `apply`, the ports.

Nothing in this package does I/O, reads a clock or draws a random number: time, ids and the answers
of venues come in as data, so that the same commands always give the same decisions.
"""
