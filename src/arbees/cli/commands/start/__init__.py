"""Commands to start with: init, doctor, demo, run."""
