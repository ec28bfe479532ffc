"""One suite that every venue passes, written against the port: numbered cards, one a promise."""
