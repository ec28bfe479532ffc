"""The endpoints: all that are declared at their handlers, of which everything else is made.

Guarantees that what is routed, what a key may do, what the OpenAPI document says and what the
reference shows are the same. Why at the handler: a route that is described elsewhere drifts.

To add an endpoint:

1. Write its handler in the module of its subject (`api/endpoints/orders.py`), next to its kin: more
   specific paths first (routes are tried in order). Its module stands in `SUBJECTS`.
   `async def orders(context: Context, request: Request) -> Response`. The docstring is the
   description in the document. Take the gateway from `context.gateway` first (503 while it
   starts), then `parameters(...)` for the query, then `read_json(...)` and `wire.decode(...)` for a
   body. Answer with `json_reply(struct)`; raise `Problem` (api/http/problem.py), `Malformed` or
   `Undecided`, never return an error by hand.
2. Bodies and answers are `msgspec.Struct`s with a docstring on the class and one below each field
   that needs it: the document shows them. Answers with numbers have `Decimal` fields (written as
   JSON numbers). A body's number that is read exactly is `wire.Number` (required) or
   `wire.OptionalNumber` with the default `wire.ABSENT`, read by `wire.number(field, raw)`. A list
   is answered as `Listed[OrderView]`.
3. Declare it above the handler with `@endpoint(...)`. `scopes`: a key needs one of them; a handler
   that asks for more by what the body says (lifting a halt) checks it itself. `problems`: only the
   codes that are its own. `example`: a body that works.
4. Run `python -m tools.reference`, which writes docs/reference/http.md. The tests in tests/api
   compare document, reference and table, and fuzz the endpoint by its own description.
"""

from arbees.api.endpoints import (
    account,
    denials,
    drills,
    events,
    executions,
    flatten,
    history,
    keys,
    kill_switch,
    orders,
    quality,
    quotes,
    reconciliations,
    status,
)
from arbees.api.http.endpoint import Endpoint
from arbees.api.openapi import pages

SUBJECTS = (
    executions,
    kill_switch,
    quotes,
    status,
    orders,
    flatten,
    account,
    reconciliations,
    history,
    quality,
    drills,
    denials,
    events,
    keys,
    pages,
)
"""The modules whose endpoints there are, in the order in which pages show them."""

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    each for subject in SUBJECTS for each in vars(subject).values() if isinstance(each, Endpoint)
)
"""All of them, in the order in which routes are tried: as their modules declare them."""
