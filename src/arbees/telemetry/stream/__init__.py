"""The journal as a stream of events to many."""
