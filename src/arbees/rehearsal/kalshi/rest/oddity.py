"""Answers of the simulated Kalshi that are not as they should be: made up, or changed in places.

Guarantees that any answer can be made any bytes, and that any field of any answer can be made
anything, left out or added, while the rest of the answer stays as it is.
"""

import json
from typing import Any

from aiohttp import web

from arbees.rehearsal.kalshi.engine.faults import ExchangeFault
from arbees.rehearsal.kalshi.rest.reading import error_reply, message_of


def made_up(fault: ExchangeFault) -> web.Response:
    """Return the answer that a fault names, whatever the call came to."""
    if not (fault.body or fault.hex):
        return error_reply(fault.status, fault.word, message_of(fault.word))
    body = bytes.fromhex(fault.hex) if fault.hex else fault.body.encode()
    return web.Response(body=body, status=fault.status, content_type="application/json")


def edit(response: web.Response, fault: ExchangeFault) -> web.Response:
    """Return an answer with some places of it changed or left out."""
    found = json.loads(response.text or "null")
    for place, value in fault.edits.items():
        put(found, place.split("/"), value)
    for place in fault.drops:
        drop(found, place.split("/"))
    return web.json_response(found, status=response.status)


def put(found: Any, place: list[str], value: object) -> None:  # noqa: ANN401 - any JSON
    """Set a place of a value; `*` is each of a list, a place after its last adds one."""
    first, *rest = place
    for key in _keys(found, first):
        if rest:
            put(found[key], rest, value)
        elif isinstance(found, list) and key == len(found):
            found.append(value)
        else:
            found[key] = value


def drop(found: Any, place: list[str]) -> None:  # noqa: ANN401 - any JSON
    """Leave a place of a value out, where it is."""
    first, *rest = place
    for key in reversed(_keys(found, first)):
        if rest:
            drop(found[key], rest)
        elif isinstance(found, list) or key in found:
            del found[key]


def _keys(found: Any, word: str) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return the keys of a value that a word means; a value that has none has none."""
    if isinstance(found, dict):
        return list(found) if word == "*" else [word]
    if not isinstance(found, list):
        return []
    return list(range(len(found))) if word == "*" else [int(word)]
