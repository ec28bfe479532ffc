"""`arbees keys create|list|revoke`: who may ask the gateway for what.

Guarantees that a secret is printed once, to stdout, and that a key which is said to be made or
revoked is so durably. Through the gateway where one runs; where none does, straight in the journal,
which is how the first key of a live account is made. It never does both: a gateway that may have
heard is asked again by a person.
"""

import secrets
from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.api.http.guard import is_loopback
from arbees.cli.shared import connection
from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import (
    GatewayAnswer,
    GatewayClient,
    Unreachable,
    encoded,
)
from arbees.cli.shared.offline_keys import KeyJournal
from arbees.cli.shared.who import actor
from arbees.core.book.api_keys import (
    REASON_MAX,
    KeyRefused,
    KeyView,
    parse_ask,
)
from arbees.core.language.key_secret import ID_BYTES, RANDOM_BYTES, make_secret
from arbees.core.language.strict_json import Malformed
from arbees.core.orders.result import encode
from arbees.errors import LeaseLost
from arbees.settings import load_here

PATH = "/v1/keys"
NO_GATEWAY = "No gateway answers; the journal itself is changed"

app = App(name="keys", help="Make, list and revoke API keys.")


@app.command
def create(
    *,
    name: Annotated[str, Parameter(help="Who uses it; records say `key:NAME`.")],
    scope: Annotated[
        list[str],
        Parameter(help="submit, cancel, read, halt, resume or admin; once for each."),
    ],
    strategy: Annotated[
        str | None, Parameter(help="The only strategy that it acts for; then never admin.")
    ] = None,
    max_order_size: Annotated[
        str | None,
        Parameter(help="Greatest notional of an order, in dollars."),
    ] = None,
    max_order_contracts: Annotated[
        str | None, Parameter(help="Greatest quantity of an order, in contracts.")
    ] = None,
    max_orders_per_minute: Annotated[
        int | None, Parameter(help="Most orders of the key approved in any minute.")
    ] = None,
    max_orders_per_hour: Annotated[
        int | None, Parameter(help="Most orders of the key approved in any hour.")
    ] = None,
    requests_per_minute: Annotated[
        int | None, Parameter(help="Most requests in any minute; stops and cancels do not count.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Make a key. Its secret goes to stdout, once; nobody can be told it again.

    Ends with 0 when the key is durable, 2 when something typed is none, 1 when the name is taken,
    77 when your own key may not.

    Example: `arbees keys create --name operator --scope admin --scope read --scope halt`

    Example: `arbees keys create --name alpha --scope submit --scope read --strategy alpha`
    """
    fields = {
        "name": name,
        "scopes": scope,
        "strategy": strategy,
        "max_order_size": max_order_size,
        "max_order_contracts": max_order_contracts,
        "max_orders_per_minute": max_orders_per_minute,
        "max_orders_per_hour": max_orders_per_hour,
        "requests_per_minute": requests_per_minute,
    }
    wanted = encode({field: value for field, value in fields.items() if value is not None})
    try:
        parse_ask(wanted)
    except Malformed as error:
        say(f"{_option(error.field)}{error.text}", style="red")
        return Exit.USAGE
    client = _client()
    try:
        answer = client.post(PATH, wanted)
    except Unreachable as error:
        if not _may_go_on(error, client):
            return Exit.UNREACHABLE
        return _create_in_journal(wanted, as_json=as_json)
    if not answer.is_ok:
        return _refused(answer)
    made = answer.json
    _tell(made["key"], made["secret"], as_json=as_json, whole=made)
    return Exit.OK


@app.command(name="list")
def list_(*, as_json: Json = False) -> int:
    """Show the keys, without their secrets; the revoked ones too.

    Example: `arbees keys list`
    """
    try:
        shown = _all(_client())
    except _NoAnswerError as error:
        return error.exit
    if as_json:
        print_json(shown)
        return Exit.OK
    keys = shown["items"]
    if not keys:
        say("There are no keys: on paper whoever reaches the port may do everything, live nothing.")
        return Exit.OK
    table(("Key", "Name", "Scopes", "Strategy", "Caps", "Since", "Revoked"), map(_row, keys))
    return Exit.OK


@app.command
def revoke(
    key: Annotated[str, Parameter(help="Its id, or the name of one in force.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; it is journaled.")] = "revoked",
    as_json: Json = False,
) -> int:
    """End a key. Nothing new is accepted from it from now on; its orders go on.

    Ends with 0 when the key is ended durably, 1 when there is none, 77 when your own key may not.

    Example: `arbees keys revoke alpha --reason "the laptop was lost"`
    """
    text = reason.strip()
    if not (0 < len(text) <= REASON_MAX and text.isprintable()):
        say(f"--reason: Expected printable text of 1 to {REASON_MAX} characters", style="red")
        return Exit.USAGE
    client = _client()
    try:
        found = _find(key, _all(client)["items"])
        if found is None:
            say(f"There is no key {plain(key)}; see arbees keys list", style="red")
            return Exit.FAILURE
        ended = _end(client, found["key_id"], text)
    except _NoAnswerError as error:
        return error.exit
    if as_json:
        print_json(ended)
    else:
        out(f"Key {ended['key']['name']} ({ended['key']['key_id']}) is revoked")
    return Exit.OK


# The gateway -----------------------------------------------------------------------------------


class _NoAnswerError(Exception):
    """What was wanted could not be had; it was said why."""

    def __init__(self, code: Exit) -> None:
        self.exit = code
        super().__init__(code.name)


def _client() -> GatewayClient:
    where = connection.find()
    connection.require_address(where)
    connection.tell_doubts(where)
    return GatewayClient(where)


def _may_go_on(error: Unreachable, client: GatewayClient) -> bool:
    """Tell whether the journal may be used instead: nobody heard, and the gateway is of here."""
    if error.is_sent:
        say(f"The gateway did not answer, whether it heard is not known: {error}", style="red")
        say("Look before you do it again: arbees keys list")
        return False
    if not (is_loopback(client.host) or client.host == load_here().gateway.http_host):
        say(f"The gateway is not reached: {error}", style="red")
        return False
    return True


def _refused(answer: GatewayAnswer) -> Exit:
    say(answer.problem, style="red")
    return of_problem(answer.status)


def _all(client: GatewayClient) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the list of keys. Raises _NoAnswerError."""
    try:
        answer = client.get(PATH)
    except Unreachable as error:
        if not _may_go_on(error, client):
            raise _NoAnswerError(Exit.UNREACHABLE) from None
        keys, sequence = KeyJournal.read(load_here())
        return {"items": [_fields(key) for key in keys], "sequence": sequence}
    if not answer.is_ok:
        raise _NoAnswerError(_refused(answer))
    return answer.json


def _end(client: GatewayClient, key_id: str, reason: str) -> Any:  # noqa: ANN401 - any JSON
    """Revoke a key; return what became of it. Raises _NoAnswerError."""
    try:
        answer = client.delete(f"{PATH}/{encoded(key_id)}?reason={encoded(reason)}")
    except Unreachable as error:
        if not _may_go_on(error, client):
            raise _NoAnswerError(Exit.UNREACHABLE) from None
        say(NO_GATEWAY)
        with _open_journal() as journal:
            view, sequence = journal.revoke(key_id, reason, actor())
        return {"key": _fields(view), "sequence": sequence}
    if not answer.is_ok:
        raise _NoAnswerError(_refused(answer))
    return answer.json


def _create_in_journal(wanted: bytes, *, as_json: bool) -> Exit:
    key_id, secret = make_secret(secrets.token_bytes(ID_BYTES), secrets.token_bytes(RANDOM_BYTES))
    say(NO_GATEWAY)
    try:
        with _open_journal() as journal:
            view, sequence = journal.create(key_id, secret, parse_ask(wanted), actor())
    except KeyRefused as error:
        say(error, style="red")
        return Exit.FAILURE
    except _NoAnswerError as error:
        return error.exit
    key = _fields(view)
    whole = {"key": key, "secret": secret, "sequence": sequence}
    _tell(key, secret, as_json=as_json, whole=whole)
    return Exit.OK


def _open_journal() -> KeyJournal:
    """Open the journal of the settings for writing. Raises _NoAnswerError: a gateway has it."""
    try:
        return KeyJournal(load_here())
    except LeaseLost as error:
        say(f"{error}. A gateway starts or stops: come again when it answers.", style="red")
        raise _NoAnswerError(Exit.UNAVAILABLE) from None


# What is shown ---------------------------------------------------------------------------------


def _fields(view: KeyView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}


def _option(field: str | None) -> str:
    if field is None:
        return ""
    return f"--{'scope' if field == 'scopes' else field.replace('_', '-')}: "


def _find(text: str, keys: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the key of an id, or the one in force of a name."""
    for key in keys:
        if key["key_id"] == text or (key["name"] == text and key["revoked_at"] is None):
            return key
    return None


def _tell(key: dict[str, Any], secret: str, *, as_json: bool, whole: dict[str, Any]) -> None:
    if as_json:
        print_json(whole)
    else:
        out(secret)
    bound = f", for strategy {plain(key['strategy'])} alone" if key["strategy"] else ""
    say(f"Key {key['name']} ({key['key_id']}) may {', '.join(key['scopes'])}{bound}.")
    say("Keep the secret now: it is shown once. Programs send it as Authorization: Bearer,")
    say("this command line takes it from ARBEES_API_KEY. From now on everybody needs a key.")


def _row(key: dict[str, Any]) -> tuple[object, ...]:
    caps = [
        f"{text} {key[field]}"
        for field, text in (
            ("max_order_size", "$"),
            ("max_order_contracts", "contracts"),
            ("max_orders_per_minute", "orders/min"),
            ("max_orders_per_hour", "orders/h"),
            ("requests_per_minute", "requests/min"),
        )
        if key[field] is not None
    ]
    return (
        key["key_id"],
        key["name"],
        " ".join(key["scopes"]),
        key["strategy"],
        ", ".join(caps),
        key["created_at"][:16] + "Z",
        styled(None if key["revoked_at"] is None else key["revoked_at"][:16] + "Z", "red"),
    )
