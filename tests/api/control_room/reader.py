"""Somebody who reads the control room."""

import json
import re

from arbees.api.control_room.sessions import SECONDS
from tests.api.fake import Answer, Wire


async def enter(wire: Wire, secret: str) -> tuple[dict[str, str], str]:
    """Log in; return the cookie as a header, and the token of the page."""
    answer = await wire.ask("POST", "/login", json.dumps({"key": secret}).encode())
    assert answer.status == 200, answer.body
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SECONDS}"):
        assert part in cookie
    headers = {"Cookie": cookie.partition(";")[0]}
    page = (await wire.ask("GET", "/", headers=headers)).body.decode()
    found = re.search(r'data-token="([^"]+)"', page)
    assert found is not None
    return headers, found[1]


def text_of(answer: Answer) -> str:
    """Return what a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.body.decode()).split())
