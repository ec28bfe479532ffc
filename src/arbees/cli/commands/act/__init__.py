"""Commands that act: run, submit, cancel, kill, flatten, reconcile."""
