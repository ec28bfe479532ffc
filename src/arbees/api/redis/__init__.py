"""Redis, where there is one: the kill switch both ways, requests in, results and records out."""
