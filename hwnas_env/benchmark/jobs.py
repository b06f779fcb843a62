"""A job: everything that one run depends on, as plain values with a hash."""

import hashlib
import json
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hwnas_env.arguments import check_allow
from hwnas_env.benchmark.tasks import MOST_SECONDS, Limits, Task
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.problems.budget import REPEATS
from hwnas_env.problems.own_costs import NAMED, is_file
from hwnas_env.showing import line
from hwnas_env.texts import plain

LONGEST_NAME = 500
"""Letters of a name in a request at most."""

MOST = 2**63 - 1
"""A seed or a number of queries at most."""

LARGEST = 1e300
"""A budget or a number of seconds at most: what may be computed with."""

Check = tuple[str, Callable[[Any], bool]]
"""What a field is expected to hold, in words, and whether a value is that."""


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(map(_is_text, value))


def _is_number(value: Any, most: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value <= most


def _is_whole(value: Any, least: int) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and least <= value <= MOST


_TEXT: Check = (f"a text of at most {LONGEST_NAME} letters", _is_text)
_TEXTS: Check = (f"a list of at most 100 such texts: {_TEXT[0]}", _are_texts)
_MAPPING: Check = ("an object", lambda value: isinstance(value, dict))
_JOB: Mapping[str, Check] = {
    "task": _MAPPING,
    "agent": _TEXT,
    "seed": (f"a whole number from 0 to {MOST}", lambda v: _is_whole(v, 0)),
    "limits": _MAPPING,
}
_TASK: Mapping[str, Check] = {
    "env": _TEXT,
    "dataset": (f"null or {_TEXT[0]}", lambda v: v is None or _is_text(v)),
    "metric": _TEXT,
    "budget": (
        f"null, a name, or a number above 0 and at most {LARGEST:g}",
        lambda v: v is None or _is_text(v) or _is_number(v, LARGEST),
    ),
    "source": _TEXT,
    "objectives": _TEXTS,
    "train": _TEXTS,
    "costs": (f"null or {_TEXT[0]}", lambda v: v is None or _is_text(v)),
}
_LIMITS: Mapping[str, Check] = {
    "queries": (
        f"null or a whole number from 1 to {MOST}",
        lambda v: v is None or _is_whole(v, 1),
    ),
    "train_seconds": (
        f"null or seconds above 0 and at most {LARGEST:g}",
        lambda v: v is None or _is_number(v, LARGEST),
    ),
    "repeats": (" or ".join(REPEATS), lambda v: v in REPEATS),
    "timeout_seconds": (
        f"null or seconds above 0 and at most {MOST_SECONDS}",
        lambda v: v is None or _is_number(v, MOST_SECONDS),
    ),
}
"""Every field of a request. What is not in these tables is no request."""


@dataclass(frozen=True)
class Job:
    """One run of a suite.

    Attributes:
        task: what is searched.
        agent: who searches.
        seed: of the run.
        limits: what it may spend.
    """

    task: Task
    agent: str
    seed: int
    limits: Limits

    def __repr__(self) -> str:
        """Returns who searches what, with which seed."""
        return line("Job", f"{self.agent}, seed {self.seed}: {self.task!r}")

    def request(self) -> dict[str, Any]:
        """Returns the job as JSON-able values; costs only where there are own ones."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        if self.task.costs is None:
            del values["task"]["costs"]
        return values

    def digest(self) -> str:
        """Returns a hash of the request."""
        text = json.dumps(self.request(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_request(cls, values: Any, *, allow: Collection[str] = ()) -> "Job":
        """Returns the job that :meth:`request` wrote.

        Args:
            values: of anyone's; every field is checked.
            allow: names of modules whose functions it may name as costs, or single
                functions as "module:function". Those that were asked for in this
                process, or allowed before, may always be named.

        Raises:
            InvalidArgumentError: the values are no job's; names the field. Or they
                name a function of another module, which is not imported.
        """
        allowed = check_allow(allow)
        job = _checked("request", values, _JOB)
        given = job["task"]
        if isinstance(given, dict) and "costs" not in given:
            given = {**given, "costs": None}
        task = dict(_checked("request.task", given, _TASK))
        _refuse_function(task["costs"], allowed)
        limits = Limits(**_checked("request.limits", job["limits"], _LIMITS))
        for name in ("objectives", "train"):
            task[name] = tuple(task[name])
        return cls(Task(**task), job["agent"], job["seed"], limits)

    def sort_key(self) -> tuple[str, str, int, str]:
        """Returns what jobs are sorted by: the task, the agent, the seed, the limits.

        Example:
            >>> Job(Task("HWNAS-FBNet-FPGA-v0"), "random", 3, Limits()).sort_key()[1:3]
            ('random', 3)
        """
        values = self.request()
        task, limits = json.dumps(values["task"]), json.dumps(values["limits"])
        return task, self.agent, self.seed, limits

    def order(self) -> tuple[str, str, int, str]:
        """Returns the sort key, by its old name."""
        warnings.warn("Job.order: use Job.sort_key", DeprecationWarning, stacklevel=2)
        return self.sort_key()


def _refuse_function(costs: str | None, allow: frozenset[str]) -> None:
    if costs is None or costs in NAMED or is_file(costs):
        return
    module = costs.partition(":")[0]
    if not {module, costs} & allow:
        message = (
            f"request.task.costs: {shown(costs)} is a function, and none is called "
            f"because a file names it; if you trust it, allow its module, "
            f"{shown(module)}"
        )
        raise InvalidArgumentError(message)


def _checked(where: str, values: Any, fields: Mapping[str, Check]) -> Mapping[str, Any]:
    """Returns values that have exactly some fields, each of which holds what it may."""
    if not isinstance(values, dict):
        message = f"{where}: expected an object, got {shown(values)}"
        raise InvalidArgumentError(message)
    for name in (*fields, *values):
        if name not in values or name not in fields:
            what = "missing" if name in fields else "not expected"
            message = f"{where}.{plain(name, longest=60)}: {what}"
            raise InvalidArgumentError(message)
        words, holds = fields[name]
        if not holds(values[name]):
            message = f"{where}.{name}: expected {words}, got {shown(values[name])}"
            raise InvalidArgumentError(message)
    return values
