"""Commands that trade: submit, cancel."""
