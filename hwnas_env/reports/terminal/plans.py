"""What ``bench run`` says before it starts."""

from rich.console import Group

from hwnas_env.benchmark.plan import Plan
from hwnas_env.reports.terminal.progress import duration
from hwnas_env.showing import some
from hwnas_env.texts import counted

MOST_AGENTS = 8
"""Agents that are named; of more it is said how many there are."""


def plan_text(plan: Plan) -> Group:
    """Lays a plan out."""
    return Group(*plan_lines(plan))


def plan_lines(plan: Plan) -> list[str]:
    """Says how many runs there are, about how long and how large, and where they go."""
    agents = some(plan.agents, most=MOST_AGENTS)
    of = "" if plan.shard == "1/1" else f", shard {plan.shard} of them"
    counts = counted(plan.tasks, "task"), counted(len(plan.agents), "agent")
    return [
        f"{plan.name}: {' x '.join(counts)} ({agents}) x {counted(plan.seeds, 'seed')}"
        f"{of}: {counted(plan.jobs, 'run')}, {plan.left:,} left to do",
        f"time: {_time(plan)}",
        f"room: {_room(plan)}",
        f"records go to {plan.folder}",
    ]


def _time(plan: Plan) -> str:
    if not plan.left:
        return "none, all is there"
    unknown = some(plan.unknown, most=MOST_AGENTS)
    if plan.seconds is None:
        return "unknown yet; it is said as runs end"
    words = f"about {duration(plan.seconds)} of one process, judging by earlier runs"
    return f"{words}; unknown yet for {unknown}" if unknown else words


def _room(plan: Plan) -> str:
    if plan.size_bytes is None:
        return "unknown, since queries are not limited"
    return f"about {size_words(plan.size_bytes)}"


def size_words(size: int) -> str:
    """Writes a number of bytes as people say it.

    Example:
        >>> size_words(0), size_words(45_300), size_words(12_345_678)
        ('0 kB', '45 kB', '12.3 MB')
    """
    for unit, of in (("GB", 1e9), ("MB", 1e6)):
        if size >= of:
            return f"{size / of:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"
