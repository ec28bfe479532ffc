"""What answers prove: accepted by content alone, refused by a documented code, else unknown."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelUnknown,
    Outcome,
    Refused,
    Unknown,
)
from arbees.errors import VenueOutcomeUnknown, VenueRateLimited, VenueRefused
from arbees.venues.kalshi.orders.answers import (
    HEALTH,
    KILLS,
    NOT_PLACED,
    CreateTerms,
    cancel_outcome,
    create_outcome,
    error_of,
    read_error,
)

GOOD: dict[str, Any] = {
    "order_id": "o1",
    "client_order_id": "arb-1",
    "fill_count": "0.00",
    "remaining_count": "10.00",
    "ts_ms": 1_781_159_360_866,
}


ASKED = CreateTerms(
    client_order_id="arb-1",
    quantity=10_000_000,
    price=400_000,
    is_bid=True,
    rests=True,
    sent_ns=1_000,
)
BRIEF = replace(ASKED, rests=False)
OFFER = replace(BRIEF, is_bid=False)


def created(status: int, body: object, asked: CreateTerms = ASKED) -> Outcome:
    """Classify an answer to a create of ten contracts."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return create_outcome(status, data, asked)


def refusal(code: str, status: int = 400) -> Outcome:
    """Classify a refusal in the shape of nearly all of them."""
    return created(status, {"error": {"code": code, "message": code.replace("_", " ")}})


# Accepted --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201])
def test_an_order_that_rests_is_accepted(status: int) -> None:
    """An order id, our own id and sane counts: the venue has it, whichever 2xx it said."""
    answer = created(status, GOOD)
    assert answer == Accepted(venue_order_id="o1", time_ns=1_781_159_360_866_000_000)


def test_what_filled_is_read_from_the_fills() -> None:
    """An answer names no trades, so it neither fills nor ends an order by itself."""
    answer = created(201, GOOD | {"fill_count": "10.00", "remaining_count": "0.00"})
    assert isinstance(answer, Accepted)
    assert answer.fills == ()
    assert answer.closed is None


def test_nothing_filled_and_nothing_left_is_cancelled() -> None:
    """An IOC that found nobody, or met our own order, has ended."""
    answer = created(201, GOOD | {"remaining_count": "0.00"}, BRIEF)
    assert isinstance(answer, Accepted)
    assert answer.closed == "cancelled"


@pytest.mark.parametrize(
    ("filled", "remaining", "rests", "is_brief"),
    [
        ("0.00", "10.00", True, False),
        ("4.00", "6.00", True, False),
        ("10.00", "0.00", True, True),
        ("0.00", "0.00", False, True),
        ("4.00", "0.00", False, True),
        ("9.99", "0.00", False, True),
        ("10.01", "0.00", False, False),
        ("4.00", "5.99", False, False),
        ("4.00", "6.01", False, False),
        ("5.00", "5.01", False, False),
        ("0.00", "0.01", False, False),
        ("-1.00", "11.00", False, False),
        ("11.00", "-1.00", False, False),
        ("-4.00", "0.00", False, False),
    ],
)
def test_counts_that_do_not_add_up_prove_nothing(
    filled: str, remaining: str, rests: bool, is_brief: bool
) -> None:
    """What rests is whole; what does not has nothing left: else it is to be found out (P7)."""
    body = GOOD | {"fill_count": filled, "remaining_count": remaining}
    assert isinstance(created(201, body), Accepted) is rests
    assert isinstance(created(201, body, BRIEF), Accepted) is is_brief


@pytest.mark.parametrize(
    ("averages", "asked", "is_good"),
    [
        ({"average_fill_price": "0.4000"}, BRIEF, True),
        ({"average_fill_price": "0.4001"}, BRIEF, False),
        ({"average_fill_price": "0.0100"}, BRIEF, True),
        ({"average_fill_price": "0.0000"}, BRIEF, False),
        ({"average_fill_price": "-0.1000"}, BRIEF, False),
        ({"average_fill_price": "cheap"}, BRIEF, False),
        ({"average_fill_price": "0.4000"}, OFFER, True),
        ({"average_fill_price": "0.3999"}, OFFER, False),
        ({"average_fill_price": "0.9999"}, OFFER, True),
        ({"average_fill_price": "1.0000"}, OFFER, False),
        ({"average_fill_price": None, "average_fee_paid": "0.0168"}, BRIEF, True),
        ({"average_fee_paid": "-0.0001"}, BRIEF, False),
    ],
)
def test_averages_that_contradict_the_order_prove_nothing(
    averages: dict[str, Any], asked: CreateTerms, is_good: bool
) -> None:
    """No fill is worse than the limit, and no fee is paid to us."""
    body = GOOD | {"fill_count": "4.00", "remaining_count": "0.00"} | averages
    assert isinstance(created(201, body, asked), Accepted) is is_good


@pytest.mark.parametrize("name", ["average_fill_price", "average_fee_paid"])
def test_averages_of_nothing_prove_nothing(name: str) -> None:
    """A price or a fee without a fill; a zero is none."""
    body = GOOD | {"remaining_count": "0.00"}
    assert isinstance(created(201, body | {name: "0.1000"}, BRIEF), Unknown)
    assert isinstance(created(201, body | {name: "0.0000"}, BRIEF), Accepted)


def test_new_fields_change_nothing() -> None:
    """A field that Kalshi adds is passed over."""
    assert isinstance(created(201, GOOD | {"surprise": {"a": [1]}}), Accepted)


# Not proven ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, b""),
        (201, b"<html>"),
        (201, b"null"),
        (200, {"error": {"code": "unknown", "message": ""}}),
        (201, {key: value for key, value in GOOD.items() if key != "order_id"}),
        (201, GOOD | {"order_id": ""}),
        (201, GOOD | {"client_order_id": "arb-2"}),
        (201, GOOD | {"fill_count": "-1.00"}),
        (201, GOOD | {"remaining_count": "-1.00"}),
        (201, GOOD | {"fill_count": "0.01"}),
        (201, GOOD | {"fill_count": "many"}),
        (201, GOOD | {"fill_count": 1}),
        (202, GOOD),
        (204, b""),
        (302, b""),
        (400, b"<html>"),
        (400, {"error": "something went wrong"}),
        (400, {"error": {"message": "without a code"}}),
        (400, {"error": {"code": "something_new", "message": "?"}}),
        (404, {"error": {"code": "something_new", "message": "?"}}),
        (401, {"error": {"code": "exchange_unavailable", "message": "?"}}),
        (403, {"code": "ORDER ALREADY EXISTS", "message": "?"}),
        (408, b""),
        (409, {"error": {"code": "order_already_exists", "message": "order already exists"}}),
        (409, {"error": {"code": "something_new", "message": "?"}}),
        (409, b""),
        (500, {"error": {"code": "invalid_order", "message": "it says so, but with a 500"}}),
        (502, b""),
        (503, {"error": {"code": "trading_is_paused", "message": "and a 503"}}),
        (504, b""),
    ],
)
def test_everything_else_is_unknown(status: int, body: object) -> None:
    """Unreadable, contradictory, of another order, a new code, any 5xx: to be found out."""
    answer = created(status, body)
    assert isinstance(answer, Unknown)
    assert answer.sent_ns == 1_000
    assert answer.message


# Refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(NOT_PLACED))
def test_a_documented_code_is_a_refusal(code: str) -> None:
    """Codes that say not placed are refusals for the order's sake; no fallback follows."""
    for status in (400, 404):
        answer = refusal(code, status)
        assert isinstance(answer, Refused)
        assert answer.venue_code == code
        assert not answer.is_health
        assert answer.is_kill == (code in KILLS)


@pytest.mark.parametrize("code", sorted(NOT_PLACED))
def test_a_conflict_is_a_refusal_for_a_killed_order_alone(code: str) -> None:
    """A 409 says too many things: what is not documented with it is to be found out."""
    assert isinstance(refusal(code, 409), Refused) is (code in KILLS)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    "code",
    [
        "MARKET_ALREADY_CLOSED",
        "market-already-closed",
        "marketAlreadyClosed",
        "MarketAlreadyClosed",
        "Market already closed",
        "market.already.closed ",
        "EXCEEDED_PER_MARKET_RISK_LIMIT",
        "exceeded order group risk limit",
        "OrderGroupNotFound",
        "SELF_CROSS_ATTEMPT",
        "post-only-cross",
        "REDUCE_ONLY",
        "EXCEEDED_SELL_POSITION_FLOOR",
        "INSUFFICIENT_BALANCE",
        "MARKET_INACTIVE",
    ],
)
def test_a_documented_word_counts_however_it_is_spelled(code: str, status: int) -> None:
    """The names are documented, their spelling over REST is not."""
    answer = refusal(code, status)
    assert isinstance(answer, Refused)
    assert (answer.venue_code, answer.is_health, answer.is_kill) == (code, False, False)
    assert isinstance(created(status, {"error": code}), Refused)


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
@pytest.mark.parametrize(
    "code",
    ["exchange_unavailable", "EXCHANGE_UNAVAILABLE", "internal_error", "market_already_closed_x"],
)
def test_what_may_have_been_applied_is_unknown(code: str, status: int) -> None:
    """The venue is said to apply some of these all the same; a new word is no old one."""
    assert isinstance(refusal(code, status), Unknown)


@pytest.mark.parametrize("code", sorted(HEALTH))
def test_a_pause_is_a_refusal_for_the_venues_health(code: str) -> None:
    """Pauses are refusals that allow a fallback."""
    answer = refusal(code, 409)
    assert isinstance(answer, Refused)
    assert answer.is_health


@pytest.mark.parametrize("body", [{"error": "too many requests"}, b"", b"slow down"])
def test_too_many_requests_were_not_executed(body: object) -> None:
    """A 429 with its own body is a refusal; one that cannot be read proves nothing."""
    answer = created(429, body)
    if body == {"error": "too many requests"}:
        assert isinstance(answer, Refused)
        assert answer.venue_code == "too_many_requests"
    else:
        assert isinstance(answer, Unknown)


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_places_nothing(status: int) -> None:
    """Any readable 401 or 403 is a refusal, whatever its words."""
    answer = refusal("something_new", status)
    assert isinstance(answer, Refused)
    assert answer.venue_code == "something_new"


def test_what_was_not_understood_was_not_placed() -> None:
    """The shapes of decode and query errors are refusals."""
    flat = created(400, {"code": "bad_request", "message": "json", "details": "at 3"})
    assert isinstance(flat, Refused)
    assert flat.message == "bad_request: json: at 3"
    query = created(400, {"msg": "invalid subaccount"})
    assert isinstance(query, Refused)
    assert query.venue_code == "bad_request"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b'"x"', b"{}", b'{"error": null}', b'{"error": 5}', b"\xff"]
)
def test_an_error_that_says_nothing_is_none(body: bytes) -> None:
    """Bodies without a code or a message are no errors that can be read."""
    assert error_of(400, body) is None


def test_a_message_is_cut() -> None:
    """However long the venue's words are, ours stay short."""
    found = error_of(400, json.dumps({"error": {"code": "x", "message": "y" * 10_000}}).encode())
    assert found is not None
    assert len(found.message) == 200


# Cancels ---------------------------------------------------------------------------------------


def test_a_cancel_says_how_much() -> None:
    """A 200 of this order with a count is a cancel."""
    body = {"order_id": "o1", "reduced_by": "3.50", "ts_ms": 5}
    found = cancel_outcome(200, json.dumps(body).encode(), "o1")
    assert found == CancelAccepted(quantity=3_500_000, time_ns=5_000_000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": "not_found", "message": "not found"}}',
        b'{"error": {"code": "NOT_FOUND"}}',
        b'{"code": "order-not-found", "message": ""}',
        b'{"code": "OrderNotFound"}',
        b'{"error": "not found"}',
    ],
)
def test_nothing_to_cancel_says_not_why(body: bytes) -> None:
    """404 is said of cancelled, executed and unknown orders alike, however it is spelled."""
    assert isinstance(cancel_outcome(404, body, "o1"), CancelMissed)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b'{"order_id": "o2", "reduced_by": "1.00", "ts_ms": 5}'),
        (200, b'{"order_id": "o1", "reduced_by": "x", "ts_ms": 5}'),
        (404, b""),
        (404, b'{"error": {"code": "market_not_found", "message": ""}}'),
        (409, b'{"error": {"code": "exchange_is_paused", "message": ""}}'),
        (429, b'{"error": "too many requests"}'),
        (500, b""),
    ],
)
def test_other_answers_to_a_cancel_prove_nothing(status: int, body: bytes) -> None:
    """Whatever is not clear is asked again."""
    assert isinstance(cancel_outcome(status, body, "o1"), CancelUnknown)


# Reads -----------------------------------------------------------------------------------------


def test_why_a_read_failed() -> None:
    """429 asks to wait, a documented refusal has the venue's code, anything else is unknown."""
    assert isinstance(read_error(429, b'{"error": "too many requests"}'), VenueRateLimited)
    refused = read_error(401, b'{"error": {"code": "header_timestamp_expired", "message": "m"}}')
    assert isinstance(refused, VenueRefused)
    assert refused.venue_code == "header_timestamp_expired"
    assert isinstance(read_error(500, b""), VenueOutcomeUnknown)
