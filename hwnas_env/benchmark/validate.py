"""Checks records by asking the problem again for every network in them."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.benchmark.records import load_record
from hwnas_env.benchmark.runs import Limits, Run, Task, summarise
from hwnas_env.errors import ForeignFileError, HWNASError


def validate(path: Path) -> list[str]:
    """Compares a record with what the problem says of its networks.

    Everything that follows from the networks is computed again: counts, seconds, the
    incumbent, its accuracy and cost, the regret and the whole curve.

    Args:
        path: of a record, as ``hwnas-env run --out`` writes it.

    Returns:
        One sentence a difference; none where the record holds.

    Raises:
        TruncatedFileError: the file is no JSON.
        ForeignFileError: no record, or one without its networks.
    """
    content = load_record(path)
    try:
        request = content["request"]
        task, limits = Task(**request["task"]), Limits(**request["limits"])
        recorded = Run.from_dict(content["run"])
        networks = [[int(digit) for digit in word] for word in recorded.networks]
    except (KeyError, TypeError, ValueError, HWNASError) as error:
        message = f"{path.name}: not a record of a run: {error!r}"
        raise ForeignFileError(message) from None
    if len(networks) != recorded.queries:
        return [f"networks: {recorded.queries} queries recorded, {len(networks)} held"]
    problem = task.problem()
    ledger = Limits(max(1, len(networks)), None, limits.repeats).ledger(problem)
    try:
        rows = problem.space.validate(np.array(networks, dtype=np.int64))
    except HWNASError as error:
        return [f"networks: {error}"]
    ledger.spend(rows)
    again = summarise(
        task,
        problem,
        request["agent"],
        seed=request["seed"],
        ledger=ledger,
        error=recorded.error,
    )
    return _differences(recorded.as_dict(), again.as_dict())


def _differences(recorded: dict[str, Any], again: dict[str, Any]) -> list[str]:
    found = []
    for key, value in again.items():
        if key == "curve" and len(recorded[key]) == len(value):
            pairs = enumerate(zip(recorded[key], value, strict=True))
            found += [
                f"curve[{place}]: recorded {old}, the problem says {new}"
                for place, (old, new) in pairs
                if not _same(old, new)
            ]
        elif not _same(recorded[key], value):
            found.append(f"{key}: recorded {recorded[key]}, the problem says {value}")
    return found


def _same(old: Any, new: Any) -> bool:
    both = isinstance(old, float) and isinstance(new, float)
    return old == new or (both and math.isnan(old) and math.isnan(new))
