"""Stand between trading strategies and prediction-market exchanges, and keep both honest.

A strategy asks Arbees to execute an order. Arbees decides whether that order is safe, makes the
decision durable, sends it, finds out what really happened, and can prove all of it afterwards.

`Client` and `AsyncClient` speak to a gateway that runs; `Gateway` runs one inside this process.
They are imported when they are first named, so that `import arbees` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arbees.client import AsyncClient, Client, Request
    from arbees.wiring.embedding import Gateway

__version__ = "0.1.0"

__all__ = ["AsyncClient", "Client", "Gateway", "Request", "__version__"]

_HOMES = {
    "AsyncClient": "arbees.client",
    "Client": "arbees.client",
    "Gateway": "arbees.wiring.embedding",
    "Request": "arbees.client",
}


def __getattr__(name: str) -> object:
    """Import what is named for the first time."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(home), name)
