"""Runs the campaign; see the package's docstring."""

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))  # where what the tests share lies

from tests.campaign import arguments, files, kills, vectors  # noqa: E402

Part = Callable[[Path, int, float], tuple[dict[str, int], list[str]]]

PARTS: dict[str, Part] = {
    # per minute of the whole campaign, on two cores
    "files": lambda folder, seed, minutes: files.run(
        folder, seed=seed, rounds=max(1, round(5 * minutes))
    ),
    "kills": lambda folder, seed, minutes: kills.run(
        folder, seed=seed, rounds=max(1, round(0.45 * minutes))
    ),
    "arguments": lambda _, seed, minutes: arguments.run(
        seed=seed, rounds=max(1, round(10 * minutes))
    ),
    "vectors": lambda _, seed, minutes: vectors.run(
        seed=seed, steps=round(170_000 * minutes)
    ),
}
"""What there is, and how much of it belongs to a campaign of so many minutes."""


def main() -> None:
    """Runs the parts, prints what they did, and exits with 1 after a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--minutes", type=float, default=60.0, help="about how long")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    given = parser.parse_args()
    print(f"seed {given.seed}, about {given.minutes:g} minutes", flush=True)
    failures = []
    for name in given.only or PARTS:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hwnas-env-campaign-") as scratch:
            counts, wrong = PARTS[name](Path(scratch) / name, given.seed, given.minutes)
        seconds = time.monotonic() - start
        for sort, count in counts.items():
            print(f"{sort}: {count:,}")
        print(f"{name}: {seconds:.0f} s, failures {len(wrong)}", flush=True)
        failures += wrong
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
