"""`arbees replay` with other settings, against a slow oracle that knows no short cuts."""

import json
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.main import main
from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import fresh
from arbees.core.deciding.decide import decide
from arbees.core.deciding.redecide import submit_of
from arbees.core.language.words import Side
from arbees.journal import JournalReader
from arbees.settings import load
from arbees.wiring.bootstrap import rules_of
from tests.cli.journals import damage, lived, played
from tests.golden.stories import STORIES
from tests.journal.samples import tamper
from tests.runtime.chaos import Chaos
from tests.runtime.evenings import GAME, LIMITS, TOKEN, Act, Evening
from tests.runtime.test_crash_points import EVENINGS

Capture = pytest.CaptureFixture[str]
HALVED = {
    "MAX_ORDER_SIZE": "20",
    "MAX_ORDER_CONTRACTS": "50",
    "MAX_POSITION_PER_MARKET": "30",
    "MAX_GAME_EXPOSURE": "50",
    "MAX_TOTAL_EXPOSURE": "75",
    "MAX_SPORT_EXPOSURE": "75",
    "MAX_ORDERS_PER_MINUTE": "10",
    "MAX_ORDERS_PER_HOUR": "30",
}
TIGHT = {
    **LIMITS,
    "MAX_ORDER_SIZE": "10",
    "MAX_POSITION_PER_MARKET": "15",
    "MAX_GAME_EXPOSURE": "25",
    "MAX_ORDERS_PER_HOUR": "8",
    "MAX_ORDERS_PER_MINUTE": "2",
}
WIDER = {name: LIMITS[name] for name in TIGHT}


def flags(changes: dict[str, str]) -> list[str]:
    """Return single settings as the command takes them."""
    return [word for name, text in changes.items() for word in ("--set", f"{name}={text}")]


def asked(
    journal: Path, changes: dict[str, str], capsys: Capture
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ask the command; return the changed decisions and the summary."""
    capsys.readouterr()
    assert main(["replay", str(journal), *flags(changes), "--json"]) == 0
    *changed, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [each["change"] for each in changed], last["summary"]


def brute(
    journal: Path, settings: list[dict[str, str]], changes: dict[str, str]
) -> list[tuple[int, str | None, str | None]]:
    """
    Decide each recorded request from the fold of everything before it, anew each time.

    Args:
        journal: the file.
        settings: what was set at each start, in order.
        changes: what is set otherwise.

    Returns:
        Record, headline of then, headline of now, where the two are not the same.
    """
    with JournalReader(journal) as reader:
        records = [(r.sequence, r.time_ns, events.decode(r.body)) for r in reader.records()]
    found = []
    starts = 0
    for index, (sequence, _, event) in enumerate(records):
        starts += isinstance(event, events.Started)
        if not isinstance(event, events.RequestDenied | events.OrderApproved):
            continue
        book = fresh()
        for number, time_ns, earlier in records[:index]:
            apply(book, earlier, number, time_ns)
        rules = rules_of(load({**settings[starts - 1], **changes}))
        decision = decide(book, event.facts, submit_of(event), rules)
        heads = [
            None if isinstance(each, events.OrderApproved) else each.findings[0].code
            for each in (event, *decision.events)
            if isinstance(each, events.OrderApproved | events.RequestDenied)
        ]
        if heads[0] != heads[1]:
            found.append((sequence, heads[0], heads[1]))
    return found


def named(changed: list[dict[str, Any]]) -> list[tuple[int, str | None, str | None]]:
    """Return what the command named, as the oracle does."""
    return [
        (
            each["sequence"],
            each["was"] and each["was"]["code"],
            each["now"] and each["now"]["code"],
        )
        for each in changed
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("limits", "changes"), [(LIMITS, HALVED), (TIGHT, WIDER)], ids=["halved", "widened"]
)
def test_it_names_exactly_what_a_brute_force_names(
    seed: int,
    limits: dict[str, str],
    changes: dict[str, str],
    tmp_path: Path,
    capsys: Capture,
) -> None:
    """With limits halved, or widened, no decision is missing and none is too many."""
    journal = played(tmp_path / "kept.db", seed, limits=limits)
    changed, summary = asked(journal, changes, capsys)
    expected = brute(journal, [limits], changes)
    assert named(changed) == expected
    assert summary["changes"] == len(expected) > 0
    assert summary["baseline"]["differing"] == []
    assert summary["baseline"]["same"] == summary["decisions"] + summary["duplicates"]


@pytest.mark.parametrize("act", [*EVENINGS[::2], *STORIES], ids=lambda act: act.__name__)
def test_an_evening_comes_out_the_same_first(act: Act, tmp_path: Path, capsys: Capture) -> None:
    """Under the recorded settings each decision, duplicates included, is made again (P6)."""
    journal = lived(tmp_path, (act, LIMITS))
    changed, summary = asked(journal, HALVED, capsys)
    assert summary["baseline"]["differing"] == []
    assert named(changed) == brute(journal, [LIMITS], HALVED)


def test_a_chaos_comes_out_the_same_first(tmp_path: Path, capsys: Capture) -> None:
    """Also where everything went wrong at once."""
    journal = lived(tmp_path, (Chaos(5), LIMITS))
    changed, summary = asked(journal, HALVED, capsys)
    assert summary["baseline"]["differing"] == []
    assert named(changed) == brute(journal, [LIMITS], HALVED)


async def _buy_three(evening: Evening) -> None:
    name = evening.settings.hash[:6]
    await evening.quote()
    for number in range(3):
        await evening.ask(f"{name}-{number}", contracts=30)


def test_settings_that_changed_twice(tmp_path: Path, capsys: Capture) -> None:
    """Each decision is held against the settings of its own start; what is not named stays so."""
    lives = [LIMITS, {**LIMITS, "MAX_ORDER_SIZE": "15"}, {**LIMITS, "MAX_GAME_EXPOSURE": "60"}]
    journal = lived(tmp_path, *((_buy_three, limits) for limits in lives))
    changed, summary = asked(journal, {"MAX_ORDER_SIZE": "10"}, capsys)
    assert summary["starts"] == 3
    assert summary["baseline"]["differing"] == []
    assert named(changed) == brute(journal, lives, {"MAX_ORDER_SIZE": "10"})
    assert changed
    same, summary = asked(journal, {"MAX_ORDER_SIZE": "40"}, capsys)
    assert named(same) == brute(journal, lives, {"MAX_ORDER_SIZE": "40"})
    assert {each["was"]["code"] for each in same} == {"MAX_ORDER_SIZE"}


def test_attempts_and_duplicates(tmp_path: Path, capsys: Capture) -> None:
    """Attempts 1 to 3 of a key are judged each; a retry of what was executed stays a duplicate."""

    async def act(evening: Evening) -> None:
        await evening.quote()
        for attempt in (1, 2, 3):
            name = f"request-{attempt}"
            await evening.ask("key", contracts=70, attempt=attempt, request_id=name)
        await evening.ask("good", contracts=40)
        await evening.ask("good", contracts=40)

    journal = lived(tmp_path, (act, LIMITS))
    changed, summary = asked(journal, {"MAX_ORDER_SIZE": "60"}, capsys)
    assert [each["request_id"] for each in changed] == [f"request-{n}" for n in (1, 2, 3)]
    assert {each["turn"] for each in changed} == {"denied_to_approved"}
    assert summary["duplicates"] == 1
    assert summary["baseline"]["differing"] == []
    assert named(changed) == brute(journal, [LIMITS], {"MAX_ORDER_SIZE": "60"})


def test_the_money_of_what_would_not_have_been_sent(tmp_path: Path, capsys: Capture) -> None:
    """Once a market is settled, the P&L of an order is payout less cost and fees, exactly."""

    async def act(evening: Evening) -> None:
        await evening.quote()
        await evening.ask("won", contracts=30)
        await evening.settle(GAME, Side.YES)
        await evening.quote(TOKEN)
        await evening.ask("held", market=TOKEN, contracts=31)
        await evening.clock.sleep(70)

    journal = lived(tmp_path, (act, LIMITS))
    changed, summary = asked(journal, {"MAX_ORDER_CONTRACTS": "5"}, capsys)
    won, held = changed
    with JournalReader(journal) as reader:
        fees = [json.loads(each.body)["fee"] for each in reader.records_of_kinds(("OrderFilled",))]
    assert (won["filled_qty"], won["pnl_is"]) == (30, "settled")
    assert won["pnl"] == pytest.approx(30 - 30 * 0.62 - fees[0] / 1e6)
    assert (held["filled_qty"], held["pnl_is"]) == (31, "marked")
    assert held["pnl"] == pytest.approx(31 * 0.60 - 31 * 0.62 - fees[1] / 1e6)
    denied = summary["turns"][0]
    assert denied["count"] == denied["filled_orders"] == 2
    assert denied["notional"] == pytest.approx(61 * 0.62)
    assert denied["pnl"] == {"settled": won["pnl"], "marked": held["pnl"]}
    assert denied["by"] == [{"safeguard": "order_size", "code": "MAX_ORDER_CONTRACTS", "count": 2}]


def test_a_market_that_was_unknown_is_unknown_again(tmp_path: Path, capsys: Capture) -> None:
    """With the market safeguard off an approval lists its market; with it on it is denied."""
    off = {**LIMITS, "DISABLED_SAFEGUARDS": "market,price_reference"}
    off["DISABLED_SAFEGUARDS_REASON"] = "a test"

    async def act(evening: Evening) -> None:
        await evening.ask("first", contracts=2, wait=0.1)
        await evening.ask("second", contracts=2, wait=0.1)

    journal = lived(tmp_path, (act, off))
    changed, summary = asked(journal, {"DISABLED_SAFEGUARDS": "price_reference"}, capsys)
    assert summary["baseline"]["differing"] == []
    assert named(changed)[0][1:] == (None, "MARKET_UNKNOWN")
    assert len(changed) == 1, "by the second one the market was listed"


def test_what_does_not_decide_changes_nothing(tmp_path: Path, capsys: Capture) -> None:
    """Another port, or a value that was recorded, changes no decision."""
    journal = played(tmp_path / "kept.db", 1, 20)
    changed, summary = asked(journal, {"HTTP_PORT": "9", "MAX_ORDER_SIZE": "40"}, capsys)
    assert changed == []
    assert summary["settings"] == {"HTTP_PORT": "9"}
    assert summary["settings_as_recorded"] == ["MAX_ORDER_SIZE"]


def test_files_of_both_forms(tmp_path: Path, capsys: Capture) -> None:
    """A file like arbees.toml and one like .env are read; single values win, tables count."""
    journal = played(tmp_path / "kept.db", 2)
    toml, env = tmp_path / "other.toml", tmp_path / "other.env"
    toml.write_text("MAX_ORDER_SIZE = 1\n[sport_exposure.limits]\nNBA = 12\n")
    env.write_text("MAX_ORDER_SIZE=2\n")
    capsys.readouterr()
    words = ["replay", str(journal), "--config", str(toml), "--config", str(env)]
    assert main([*words, "--set", "MAX_ORDER_SIZE=20", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert summary["settings"]["MAX_ORDER_SIZE"] == "20"
    assert summary["settings"]["sport_exposure.limits"] == '{"NBA":12}'
    assert {each["code"] for each in summary["turns"][0]["by"]} >= {"MAX_SPORT_EXPOSURE"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--set", "MAX_ORDER_SIZE"], 2, "Expected NAME=VALUE, was 'MAX_ORDER_SIZE'"),
        (["--set", "MAX_ORDR_SIZE=1"], 78, "Did you mean MAX_ORDER_SIZE"),
        (["--set", "MAX_ORDER_SIZE=much"], 78, "MAX_ORDER_SIZE"),
        (["--set", "MAX_POSITION_PER_MARKET=10"], 78, "MAX_POSITION_PER_MARKET"),
        (["--config", "none.toml"], 78, "Expected a file to read other settings from"),
    ],
)
def test_other_settings_that_are_none(
    words: list[str], code: int, text: str, tmp_path: Path, capsys: Capture
) -> None:
    """They are refused as at a start, before anything is said of the journal."""
    journal = played(tmp_path / "kept.db", 1, 5)
    capsys.readouterr()
    assert main(["replay", str(journal), *words]) == code
    said = capsys.readouterr()
    assert text in said.err
    assert said.out == ""


def test_for_people(tmp_path: Path, capsys: Capture) -> None:
    """Counts, money, lines and the word on what is compared fit on a terminal."""
    journal = played(tmp_path / "kept.db", 0)
    capsys.readouterr()
    assert main(["replay", str(journal), *flags(HALVED), "-n", "2"]) == 0
    said = capsys.readouterr().out
    assert "come out the same" in said
    assert "approved, would be denied" in said
    assert "what really happened before it" in said
    assert "more: --lines N shows more" in said


def test_a_record_that_its_rules_do_not_make_is_named(tmp_path: Path, capsys: Capture) -> None:
    """Where a decision does not come out the same under its own settings, P6 is broken: say so."""
    journal = lived(tmp_path, (_buy_three, LIMITS))
    with JournalReader(journal) as reader:
        first = next(iter(reader.records_of_kinds(("OrderApproved",))))
    damage(journal, first.sequence, b'"limit_price":620000', b'"limit_price":630000')
    capsys.readouterr()
    assert main(["replay", str(journal), "--set", "MAX_ORDER_SIZE=20"]) == 65
    said = capsys.readouterr().err
    assert "1 decisions do not come out the same" in said
    assert f"record {first.sequence}" in said
    assert "CORRUPT" in said


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_record_that_cannot_be_read(form: list[str], tmp_path: Path, capsys: Capture) -> None:
    """The walk ends at it, with 65 and its number, and no counts that would look whole."""
    journal = played(tmp_path / "kept.db", 1, 20)
    tamper(journal, "UPDATE records SET body = x'7b7d' WHERE sequence = 40")
    capsys.readouterr()
    assert main(["replay", str(journal), "--set", "MAX_ORDER_SIZE=20", *form]) == 65
    said = capsys.readouterr()
    assert "first bad: record 40" in said.err
    if form:
        assert json.loads(said.out)["summary"]["first_bad_record"] == 40
    else:
        assert said.out == ""
