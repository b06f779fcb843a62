"""The provenance that committed coefficients state of themselves."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hwnas_env.types import Fidelity, Provenance

STATED = ("kind", "method", "citation", "calibrated_on", "fidelity")
"""What an entry says of itself; the rest are its coefficients."""


def stated_provenance(entry: Mapping[str, Any], *used: Any) -> Provenance:
    """Returns where the numbers of a column come from.

    Its SHA-256 is that of the coefficients in canonical form: no other column, and no
    word or error that the entry states, changes it.

    Args:
        entry: ``kind``, ``method``, ``citation``, ``calibrated_on``, ``fidelity`` (or
            None), and the coefficients.
        used: what else the numbers are computed from, as plain values.
    """
    own = {key: value for key, value in entry.items() if key not in STATED}
    canonical = json.dumps([own, *used], sort_keys=True, separators=(",", ":"))
    card = entry.get("fidelity")
    return Provenance(
        kind=entry["kind"],
        method=entry["method"],
        citation=entry.get("citation", ""),
        calibrated_on=entry.get("calibrated_on", ""),
        fidelity=None if card is None else Fidelity(**card),
        sha256=hashlib.sha256(canonical.encode()).hexdigest(),
    )
