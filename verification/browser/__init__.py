"""The control room in a real browser, as a person uses it: `make browser`."""
