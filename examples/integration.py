"""Ask for one order and deal with whatever comes of it: python integration.py KEY CONTRACTS."""

import sys

from arbees import Client

key, contracts = sys.argv[1:]

with Client() as client:
    result = client.submit(
        idempotency_key=key,
        platform="Kalshi",
        market_id="KXNBAGAME-26JAN28HOUBOS-BOS",
        side="Yes",
        size=contracts,
        limit_price="0.61",
        strategy="integration",
    )
    if result.original is not None:  # this key was decided before: that is the answer
        result = result.original
    if result.is_unknown:  # it was sent, and nobody knows yet: ask, never send another
        print(f"unknown: {result.request_id}, asking what became of it", flush=True)
        result = client.wait(result.request_id, seconds=60)

if result.is_unknown:
    print(f"still unknown: tell the operator about {result.request_id}")
    sys.exit(6)
if result.is_halted:
    print(f"halted: {result.rejection_reason}")
    sys.exit(4)
if result.is_denied:
    for denial in result.denials:
        print(f"denied by {denial.safeguard}: {denial.message}")
    sys.exit(3)
print(f"{result.status}: {result.filled_qty} at {result.avg_price}, fees {result.fees}")
