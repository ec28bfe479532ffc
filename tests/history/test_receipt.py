"""Receipts: what is in one, what one proves, and that nothing in one can be changed unnoticed."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbees.core.language.words import Action, TimeInForce
from arbees.core.orders.result import encode
from arbees.history.receipt import digest_of, make_receipt, plain_of
from arbees.history.receipt_proof import (
    KNOWN,
    LEVELS,
    Proof,
    prove,
)
from arbees.journal import JournalReader
from tests.cli.journals import damage, lived
from tests.golden.stories import hold_keys, mend, review
from tests.journal.samples import tamper
from tests.runtime.evenings import GAME, LIMITS, TOKEN, Evening, alternate
from tests.runtime.test_crash_points import halt, lose_answers

Place = list[str | int]


async def _everything(evening: Evening) -> None:
    await evening.quote()
    await evening.quote(TOKEN)
    await evening.ask("bought", contracts=60)
    await evening.ask("bought", contracts=60)
    await evening.ask("large", contracts=90, alternates=alternate(TOKEN))
    await evening.ask("large", contracts=90, attempt=2, request_id="large-2")
    await evening.ask("sold", price=590, action=Action.SELL, contracts=5)
    await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC, contracts=3)
    await evening.halt(f"market:{GAME}")
    await evening.ask("halted", contracts=2)
    await evening.resume(f"market:{GAME}")
    await evening.ask("later", contracts=1)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live an evening with a bit of everything."""
    return lived(tmp_path_factory.mktemp("evening"), (_everything, LIMITS))


def made(journal: Path, request_id: str, **more: Any) -> dict[str, Any]:
    """Return the receipt of a request."""
    with JournalReader(journal) as reader:
        receipt = make_receipt(reader, request_id, **more)
    assert receipt is not None
    return receipt.document


def requests(journal: Path) -> list[str]:
    """Return every request id of a journal."""
    with JournalReader(journal) as reader:
        return [row[0] for row in reader.ask("SELECT request_id FROM requests ORDER BY 1")]


def checked(document: dict[str, Any], **more: Any) -> Proof:
    """Check a document."""
    return prove(encode(document), **more)


def leaves(value: object, place: Place) -> Iterator[Place]:
    """Yield the place of each leaf of a document, empty structures included."""
    if isinstance(value, dict) and value:
        for name in value:
            yield from leaves(value[name], [*place, name])
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, [*place, index])
    else:
        yield place


def flipped(value: object) -> object:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1") if value else "x"
    if value is None:
        return "x"
    return value + 1 if isinstance(value, int | Decimal) else "x"


def changed(document: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return a copy with one leaf changed."""
    copied = copy.deepcopy(document)
    target: Any = copied
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = flipped(target[place[-1]])
    return copied


def test_every_request_has_a_receipt_that_holds(journal: Path) -> None:
    """Each agrees with itself, and with the journal; nothing else is said to be proved."""
    for name in requests(journal):
        document = made(journal, name)
        assert document == plain_of(encode(document))
        alone = checked(document)
        assert (alone.is_good, alone.proved, alone.problem) == (True, ("agrees",), None)
        held = checked(document, journal=journal)
        assert (held.problem, held.not_proved) == (None, ("leads", "known"))


@pytest.mark.parametrize("name", ["request-bought", "large-2", "request-halted"])
def test_no_leaf_can_be_changed(journal: Path, name: str) -> None:
    """Whichever field is changed, the receipt does not hold any more."""
    document = made(journal, name)
    places = list(leaves(document, []))
    assert len(places) > 100
    for place in places:
        assert not checked(changed(document, place)).is_good, place


def test_a_forger_who_renews_the_digest_is_found(journal: Path) -> None:
    """All but what only a journal knows is bound to the records; the journal finds the rest."""
    document = made(journal, "request-bought")
    free = []
    for place in leaves(document, []):
        if place == ["digest"]:
            continue
        forged = changed(document, place)
        forged["digest"] = digest_of(forged)
        if checked(forged).is_good:
            free.append(place)
    assert free == [["made_by"], ["head", "sequence"], ["head", "hash"], ["head", "time_ns"]]
    for place in free[1:]:
        forged = changed(document, place)
        forged["digest"] = digest_of(forged)
        assert not checked(forged, journal=journal).is_good, place


def test_a_record_left_out_is_found_by_the_journal(journal: Path) -> None:
    """By itself a receipt cannot tell that something is missing; a journal can, and links can."""
    whole = made(journal, "request-rests")
    short = copy.deepcopy(whole)
    del short["records"][-1]
    with JournalReader(journal) as reader:
        last = short["records"][-1]["sequence"]
        earlier = make_receipt(reader, "request-rests", until=last)
    assert earlier is not None
    forged = {**earlier.document, "head": whole["head"]}
    forged["digest"] = digest_of(forged)
    assert checked(forged).is_good
    against = checked(forged, journal=journal)
    assert not against.is_good
    linked = made(journal, "request-rests", has_links=True)
    forged = {**forged, "links": linked["links"]}
    forged["digest"] = digest_of(forged)
    alone = checked(forged)
    assert (alone.is_good, alone.place) == (False, "links")


def test_links_lead_to_the_head(journal: Path) -> None:
    """With every record in between, a head that is known from elsewhere proves inclusion."""
    document = made(journal, "request-bought", has_links=True)
    head = document["head"]["hash"]
    proof = checked(document, head=head)
    assert (proof.is_good, proof.proved) == (True, ("agrees", "leads", "known"))
    other = checked(document, head="0" * 64)
    assert (other.is_good, other.place) == (False, "head.hash")
    places: list[Place] = [["links", 0, "body"], ["links", 3, "hash"], ["links", 5, "time_ns"]]
    for place in places:
        assert not checked(changed(document, place)).is_good
    forged = copy.deepcopy(document)
    forged["head"]["hash"] = "ab" * 32
    forged["digest"] = digest_of(forged)
    assert checked(forged).place == "head.hash"


def _forged(tmp_path: Path, head: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the receipt of the same request in another history, with a head written into it."""
    folder = tmp_path / f"forged-{len(more)}"
    other = lived(folder, (_everything, {**LIMITS, "MAX_OPEN_ORDERS": "9"}))
    document = {**made(other, "request-bought", **more), "head": head}
    return {**document, "digest": digest_of(document)}


def test_a_true_head_that_is_only_stated_proves_nothing(journal: Path, tmp_path: Path) -> None:
    """Anybody can write a head into a document: its records have to lead to it."""
    head = made(journal, "request-bought")["head"]
    known = f"{head['sequence']}:{head['hash']}"
    for forged in (_forged(tmp_path, head), _forged(tmp_path, head, has_links=True)):
        for text in (known, head["hash"], known.replace(":", " ")):
            proof = checked(forged, head=text)
            assert (proof.is_good, KNOWN in proof.proved) == (False, False)
    genuine = checked(made(journal, "request-bought"), head=known)
    assert (genuine.is_good, genuine.place) == (False, "links")
    assert "--links" in str(genuine.problem)


@pytest.mark.parametrize("known", ["{n}:{h}", "{h}", "{n} {h}"])
def test_a_head_noted_later_is_known_by_the_journal(journal: Path, known: str) -> None:
    """What was noted after the receipt was made vouches for it too, through the journal."""
    with JournalReader(journal) as reader:
        last = reader.head
        early = make_receipt(reader, "request-bought", until=last.sequence - 3)
    assert early is not None
    text = known.format(n=last.sequence, h=last.hash.hex())
    proof = checked(early.document, journal=journal, head=text)
    assert (proof.problem, KNOWN in proof.proved) == (None, True)
    wrong = checked(early.document, journal=journal, head=f"{last.sequence - 1}:{last.hash.hex()}")
    assert not wrong.is_good


def test_a_head_before_the_request_does_not_vouch_for_it(journal: Path) -> None:
    """A record noted before the request ended says nothing about its end."""
    document = made(journal, "request-bought", has_links=True)
    early = document["records"][0]
    known = f"{early['sequence']}:{early['hash']}"
    assert not checked(document, head=known).is_good
    assert not checked(document, journal=journal, head=known).is_good


def test_a_record_hidden_among_the_links_is_found(journal: Path) -> None:
    """With links, what belongs to the request stands among its records."""
    whole = made(journal, "request-rests", has_links=True)
    last = whole["records"][-1]
    with JournalReader(journal) as reader:
        earlier = make_receipt(reader, "request-rests", until=last["sequence"] - 1, has_links=True)
    assert earlier is not None
    links = sorted([*whole["links"], last], key=lambda link: link["sequence"])
    forged = {**earlier.document, "head": whole["head"], "links": links}
    forged["digest"] = digest_of(forged)
    proof = checked(forged)
    assert (proof.is_good, str(proof.place)[:5]) == (False, "links")


def test_everything_is_proved_at_most(journal: Path) -> None:
    """Links, a known head, and the journal with its witness."""
    document = made(journal, "request-later", has_links=True)
    proof = checked(document, journal=journal, head=document["head"]["hash"].upper())
    assert (proof.problem, proof.proved, proof.not_proved) == (None, LEVELS, ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "Expected a receipt"),
        (b"[]", "Expected a JSON object"),
        (b"{}", "required field"),
        (b"\xff", "Expected a receipt"),
        (b'{"format": NaN}', "Expected numbers"),
        (b"[" * 100_000, "Expected a receipt"),
    ],
)
def test_what_is_no_receipt(text: bytes, says: str) -> None:
    """It is said, without a trace."""
    proof = prove(text)
    assert not proof.is_good
    assert says in str(proof.problem)


def test_a_field_twice_is_a_trick(journal: Path) -> None:
    """Of two fields of a name people read one and programs the other."""
    text = encode(made(journal, "request-bought"))
    twice = text.replace(b'"status":', b'"status":"Rejected","status":', 1)
    assert "status is there twice" in str(prove(twice).problem)


def test_a_receipt_of_another_version_says_so(journal: Path) -> None:
    """A format that is not known is not guessed at."""
    document = made(journal, "request-bought") | {"format": "arbees/receipt/v9"}
    assert checked(document).place == "format"


def test_another_journal_does_not_hold_it(journal: Path, tmp_path: Path) -> None:
    """The same evening on another journal has other hashes, or another length."""
    other = lived(tmp_path, (_everything, {**LIMITS, "MAX_OPEN_ORDERS": "49"}))
    proof = checked(made(journal, "request-bought"), journal=other)
    assert (proof.is_good, proof.place) == (False, "head")


def test_a_journal_that_was_changed_later(tmp_path: Path) -> None:
    """Between the records and the end the chain of the journal must hold too."""
    path = lived(tmp_path, (_everything, LIMITS))
    document = made(path, "request-bought")
    last = document["head"]["sequence"]
    damage(path, last, b'"reason":"', b'"reason":"X')
    proof = checked(document, journal=path)
    assert not proof.is_good
    assert f"record {last}" in str(proof.problem)
    tamper(path, f"DELETE FROM records WHERE sequence = {last}")  # noqa: S608
    assert not checked(document, journal=path).is_good


def test_the_story_of_each_kind(journal: Path) -> None:
    """Duplicates, halts, reservations and attempts stand where they belong."""
    bought = made(journal, "request-bought")["story"]
    assert [each["code"] for each in bought["duplicates"]] == ["DUPLICATE_REQUEST"]
    assert bought["reserved"][0]["why"] == "approved"
    assert bought["reserved"][-1]["cash"] == 0
    assert bought["result"]["filled_qty"] == sum(each["quantity"] for each in bought["fills"])
    assert all(each["is_derived"] for each in bought["sent"])
    halted = made(journal, "request-halted")["story"]
    assert [each["scope"] for each in halted["halts"]] == [f"market:{GAME}"]
    assert halted["result"]["code"] == "HALTED"
    rests = made(journal, "request-rests")["story"]
    assert [each["state"] for each in rests["halts"]] == ["HALTED"]
    assert made(journal, "request-later")["story"]["halts"] == []
    large = made(journal, "large-2")["story"]
    assert large["result"]["attempt"] == 2
    verdicts = large["decisions"][0]["verdicts"]
    denied = [each for each in verdicts if each["verdict"] == "deny"]
    assert (denied[0]["safeguard"], denied[0]["limit"]) == ("order_size", 40)
    assert {"pass", "skipped"} <= {each["verdict"] for each in verdicts}


def test_unknown_orders_and_halts_of_evenings(tmp_path: Path) -> None:
    """Lost answers, gate denials, cancels by a halt, keys, ends by hand: all receipts hold."""
    for act in (lose_answers, halt, hold_keys, mend, review):
        path = lived(tmp_path / act.__name__, (act, LIMITS))
        for request_id in requests(path):
            proof = checked(made(path, request_id), journal=path)
            assert proof.is_good, proof


def test_a_request_that_is_not_there(journal: Path) -> None:
    """None, and none before its time."""
    with JournalReader(journal) as reader:
        assert make_receipt(reader, "nobody") is None
        assert make_receipt(reader, "request-later", until=5) is None
        assert make_receipt(reader, "request-later", until=10**6) is None
        assert isinstance(make_receipt(reader, "request-later"), object)
