"""A whole exchange on paper: durable, exact in fees and depth, and faulty on request."""

from arbees.venues.paper.exchange import PaperExchange
from arbees.venues.paper.faults import Fault, Faults
from arbees.venues.paper.terms import TERMS
from arbees.venues.paper.venue import PaperVenue

__all__ = ["TERMS", "Fault", "Faults", "PaperExchange", "PaperVenue"]
