"""What ``bench run`` says before it starts."""

from rich.console import Group

from hwnas_env.benchmark.plan import Plan
from hwnas_env.reports.terminal.progress import duration

MOST_AGENTS = 8
"""Agents that are named; of more it is said how many there are."""


def plan_text(plan: Plan) -> Group:
    """Lays a plan out."""
    return Group(*plan_lines(plan))


def plan_lines(plan: Plan) -> list[str]:
    """Says how many runs there are, about how long and how large, and where they go."""
    agents = ", ".join(plan.agents[:MOST_AGENTS])
    if len(plan.agents) > MOST_AGENTS:
        agents += f" and {len(plan.agents) - MOST_AGENTS} more"
    of = "" if plan.shard == "1/1" else f", shard {plan.shard} of them"
    counts = _count(plan.tasks, "task"), _count(len(plan.agents), "agent")
    return [
        f"{plan.name}: {' x '.join(counts)} ({agents}) x {_count(plan.seeds, 'seed')}"
        f"{of}: {_count(plan.jobs, 'run')}, {plan.left:,} left to do",
        f"time: {_time(plan)}",
        f"room: {_room(plan)}",
        f"records go to {plan.folder}",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _time(plan: Plan) -> str:
    if not plan.left:
        return "none, all is there"
    unknown = ", ".join(plan.unknown[:MOST_AGENTS])
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
