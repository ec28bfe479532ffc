"""The gateway from Python: `Client` blocks, `AsyncClient` awaits; one core decides for both.

Guarantees that a lost answer is asked for again under the same key and never under a new one, that
a denial is a value and not an error, and that numbers are exact. Knows the gateway by its wire
alone. It fails with the errors below `arbees.errors.GatewayError`.
"""

from arbees.client.asynchronous import AsyncClient
from arbees.client.blocking import Client
from arbees.client.request import Request
from arbees.client.results import Event, Execution, Result

__all__ = ["AsyncClient", "Client", "Event", "Execution", "Request", "Result"]
