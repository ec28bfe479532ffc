"""Commands that rehearse: demo, play, the simulated exchange."""
