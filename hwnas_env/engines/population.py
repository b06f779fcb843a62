"""What the real devices of a space have in common: shares of its terms in their costs.

A device's *share* of a term is how much of its mean cost, over the networks listed
here, the term makes: its weight times the term's mean count. The base, which every
network has, is a term too and comes first. Shares are at least 0 and add up to about 1,
so devices are comparable whatever their speed and unit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.types import FloatArray, Genotypes

UNIT = 1e6
"""Shares are committed as whole numbers of this fraction."""


@dataclass(frozen=True, eq=False)
class Population:
    """Describes the real devices of a space; immutable.

    Attributes:
        metric: of the costs, one that all of them have.
        networks: ``(N, L)`` int8, distinct: over these shares are taken, and quantiles
            of the costs of drawn devices.
        machines: what each device was measured on, by the device's name; settings of
            one machine have the same.
        costs: by dataset and device, the mean cost of the networks in the metric's
            unit. A device without the dataset is there with one that it has.
        shares: by dataset and device, ``(1 + P,)``, the base first.
    """

    metric: str
    networks: Genotypes
    machines: Mapping[str, str]
    costs: Mapping[str, Mapping[str, float]]
    shares: Mapping[str, Mapping[str, FloatArray]]


def read_population(space: Choices, path: Path) -> Population:
    """Reads a room's file, which ``python -m calibration.population`` writes."""
    found = json.loads(path.read_bytes())
    return Population(
        found["metric"],
        space.from_words(found["networks"].split()),
        found["machines"],
        found["mean_costs"],
        {
            dataset: {name: np.array(row) / UNIT for name, row in rows.items()}
            for dataset, rows in found["shares_millionths"].items()
        },
    )
