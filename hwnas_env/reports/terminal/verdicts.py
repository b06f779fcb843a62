"""What ``bench validate`` prints of records."""

from collections import Counter
from collections.abc import Sequence

from hwnas_env.benchmark.validate import Verdict

SHOWN = 20
"""Differences of one record that are printed."""


def verdict_lines(verdict: Verdict) -> list[str]:
    """Says whether a record holds, and what differs."""
    differences = verdict.differences
    kinds = f" ({', '.join(verdict.kinds)})" if verdict.kinds else ""
    lines = [f"{verdict.path}: {'differs' if differences else 'valid'}{kinds}"]
    lines += [f"  {words}" for words in differences[:SHOWN]]
    if len(differences) > SHOWN:
        lines.append(f"  and {len(differences) - SHOWN} more")
    return lines


def summary_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Counts records: those that hold, their kinds of data, and notes, once each."""
    wrong = sum(bool(verdict.differences) for verdict in verdicts)
    kinds = Counter(", ".join(v.kinds) or "of unknown data" for v in verdicts)
    notes = Counter(note for verdict in verdicts for note in verdict.notes)
    return [
        f"records: {len(verdicts)}; valid: {len(verdicts) - wrong}; differ: {wrong}",
        *(f"  {words}: {count}" for words, count in kinds.items()),
        *(f"  note: {words} (records: {count})" for words, count in notes.items()),
    ]
