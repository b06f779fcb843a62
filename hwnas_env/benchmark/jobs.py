"""A job: everything that one run depends on, as plain values with a hash."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.errors import InvalidArgumentError


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

    def request(self) -> dict[str, Any]:
        """Returns the job as JSON-able values."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    def digest(self) -> str:
        """Returns a hash of the request."""
        text = json.dumps(self.request(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_request(cls, values: dict[str, Any]) -> "Job":
        """Returns the job that :meth:`request` wrote.

        Raises:
            InvalidArgumentError: the values are no job's.
        """
        try:
            task = dict(values["task"])
            task["objectives"] = tuple(task["objectives"])
            task["train"] = tuple(task["train"])
            limits = Limits(**values["limits"])
            job = cls(Task(**task), values["agent"], values["seed"], limits)
        except (KeyError, TypeError, ValueError) as error:
            message = f"request: expected that of a run, got {values!r}: {error}"
            raise InvalidArgumentError(message) from None
        if job.request() != values or not isinstance(job.seed, int):
            message = f"request: expected that of a run, got {values!r}"
            raise InvalidArgumentError(message)
        return job

    def order(self) -> tuple[str, str, int, str]:
        """Returns what jobs are sorted by: the task, the agent, the seed, the limits.

        Example:
            >>> Job(Task("HWNAS-FBNet-FPGA-v0"), "random", 3, Limits()).order()[1:3]
            ('random', 3)
        """
        values = self.request()
        task, limits = json.dumps(values["task"]), json.dumps(values["limits"])
        return task, self.agent, self.seed, limits
