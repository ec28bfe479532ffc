"""Commands that stop: kill, flatten."""
