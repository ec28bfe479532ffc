"""The words of the field: units, ids, requests and quotes, codes, and how they are read."""
