"""Whether the simulated Kalshi speaks as Kalshi does: by documents, records, and a client."""
