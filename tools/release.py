"""Look at what is about to be released, and write its checksums: `python -m tools.release dist`.

Guarantees that the list of parts names exactly what the lock pins, in the pinned releases, and that
`SHA256SUMS` covers every file beside it. It fails by naming what differs, and writes nothing then.
"""

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

LOCK = Path("requirements-run.lock")
PARTS = "arbees.cdx.json"
SUMS = "SHA256SUMS"
OURS = "arbees"
_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)( ;)?")


def name_of(package: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def differences(lock: str, parts: str) -> list[str]:
    """
    Return in what a list of parts differs from a lock, a line for each.

    Args:
        lock: text of a lock; what it pins under a condition may be missing.
        parts: a CycloneDX document.
    """
    pinned: dict[str, str] = {}
    conditional: set[str] = set()
    for package, release, condition in _PIN.findall(lock):
        pinned[name_of(package)] = release
        if condition:
            conditional.add(name_of(package))
    listed = {name_of(part["name"]): part["version"] for part in json.loads(parts)["components"]}
    listed.pop(OURS, None)
    found = [
        f"Expected {package} {release}, was {listed.get(package, 'not there')}"
        for package, release in sorted(pinned.items())
        if listed.get(package) != release and not (package in conditional and package not in listed)
    ]
    found += [f"Expected nothing but what is pinned, was {each}" for each in listed.keys() - pinned]
    return sorted(found)


def sums(folder: Path) -> str:
    """Return the checksums of all files in a folder, as `sha256sum --check` reads them."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != SUMS
    ]
    return "".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Check a folder of files to release; add their checksums."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    wrong = differences(
        LOCK.read_text(encoding="utf-8"), (folder / PARTS).read_text(encoding="utf-8")
    )
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    (folder / SUMS).write_text(sums(folder), encoding="utf-8")
    print(sums(folder), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
