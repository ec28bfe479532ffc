"""Commands that administer: settings, keys, authority, money."""
