"""The book: the fold of the journal. Markets, orders, exposure, fees, keys. Pure."""
