"""The committed coefficients of built-in sources, and their provenance."""

import functools
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwnas_env.types import Fidelity, Provenance


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Holds one committed file of coefficients.

    Attributes:
        entries: by key; each has ``kind``, ``method``, ``citation``, ``calibrated_on``,
            ``fidelity`` (or None) and its coefficients.
        sha256: of the file.
    """

    entries: Mapping[str, Any]
    sha256: str

    def provenance(self, key: str) -> Provenance:
        """Returns the provenance that calibration recorded for an entry."""
        entry = self.entries[key]
        card = entry["fidelity"]
        return Provenance(
            kind=entry["kind"],
            method=entry["method"],
            citation=entry["citation"],
            calibrated_on=entry["calibrated_on"],
            fidelity=None if card is None else Fidelity(**card),
            sha256=self.sha256,
        )


@functools.cache
def load_coefficients(package: str, name: str) -> Coefficients:
    """Reads a committed file.

    Args:
        package: where it lies ("hwnas_env.costs").
        name: the file's name ("fbnet.json").
    """
    content = (importlib.resources.files(package) / name).read_bytes()
    return Coefficients(json.loads(content), hashlib.sha256(content).hexdigest())
