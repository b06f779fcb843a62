"""Entries of coefficient files, and how they are written: always the same bytes."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwnas_env.types import Fidelity, Kind

Entry = dict[str, Any]

# Percent. Smaller errors are rounding, and differ between machines.
NEGLIGIBLE_PERCENT = 1e-8

NEEDED = ("n", "tau_b", "mape_percent", "worst_percent", "method")
"""What an entry's fidelity always has."""

_ROW = re.compile(r"\[\s*((?:-?\d+,\s*)*-?\d+)\s*\]")


def entry(
    kind: Kind,
    coefficients: Mapping[str, Any],
    *,
    method: str,
    citation: str,
    calibrated_on: str,
    fidelity: Fidelity | None = None,
) -> Entry:
    """Puts together one entry of a coefficient file.

    Args:
        kind: fitted, modelled or surrogate.
        coefficients: by name, with the unit in the name.
        method: one sentence on how a number is computed.
        citation: whose measurements the coefficients were fitted to.
        calibrated_on: what data they saw.
        fidelity: error against measurements.
    """
    return {
        "kind": kind,
        "method": method,
        "citation": citation,
        "calibrated_on": calibrated_on,
        "fidelity": card(fidelity),
        **coefficients,
    }


def card(fidelity: Fidelity | None) -> dict[str, Any] | None:
    """Returns a fidelity as plain values; errors that are only rounding become 0."""
    if fidelity is None:
        return None
    values = {
        field.name: getattr(fidelity, field.name)
        for field in dataclasses.fields(fidelity)
        if field.name in NEEDED or getattr(fidelity, field.name) is not None
    }
    for name in ("mape_percent", "worst_percent"):
        if values[name] < NEGLIGIBLE_PERCENT:
            values[name] = 0.0
    return values


def write(path: Path, entries: Mapping[str, Any]) -> None:
    """Writes coefficients as JSON: sorted keys, indent 1, rows of integers compact.

    Args:
        path: the file to write.
        entries: by key, plain values with finite numbers.
    """
    path.write_bytes(content(entries))


def content(entries: Mapping[str, Any]) -> bytes:
    """Returns the bytes that :func:`write` writes, with a newline at the end."""
    text = json.dumps(
        entries, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    compact = _ROW.sub(lambda row: "[" + re.sub(r"\s+", "", row[1]) + "]", text)
    return (compact + "\n").encode()
