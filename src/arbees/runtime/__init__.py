"""Keeps it going: the one writer, dispatcher, resolver, reconciler, monitors, halts and clocks."""
