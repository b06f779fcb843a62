"""Computes the committed expectations of random search again: the suites' zero.

    python benchmarks/expectations.py [--check]

Writes ``hwnas_env/benchmark/expectations.json``; with --check, compares instead. Takes
about five minutes on one core.
"""

import json
import sys
from pathlib import Path

import hwnas_env.benchmark.expectations as found
from hwnas_env.benchmark.runs import Task
from hwnas_env.benchmark.suites import SUITES


def tasks() -> list[Task]:
    """Returns every suite task whose zero has no closed form, once a key."""
    listed = {}
    for suite in SUITES.values():
        for task in suite.tasks:
            if task.objectives or not task.problem().space.has_numbers:
                listed[found.table_key(task)] = task
    return [listed[key] for key in sorted(listed)]


def main() -> None:
    """Computes every entry, and writes or compares."""
    table: dict = {"queries": list(found.QUERIES), "accuracy": {}, "share": {}}
    for task in tasks():
        entry = found.share_entry if task.objectives else found.accuracy_entry
        part = table["share" if task.objectives else "accuracy"]
        part[found.table_key(task)] = entry(task)
        sys.stderr.write(f"{found.table_key(task)}\n")
    path = Path(found.__file__).parent / found.FILE
    if "--check" in sys.argv:
        same = json.loads(path.read_text()) == table
        sys.exit(None if same else f"{path.name}: differs from what was computed")
    path.write_text(json.dumps(table, separators=(",", ":")) + "\n")
    sys.stderr.write(f"wrote {path.name}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
