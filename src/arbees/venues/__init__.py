"""Talks to exchanges, all behind the one `Venue` port of the core."""
