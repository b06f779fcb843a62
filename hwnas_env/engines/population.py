"""What the real devices of a space have in common: shares of its terms in their costs.

A device's *share* of a term is how much of its mean cost, over the networks listed
here, the term makes: its weight times the term's mean count. The base, which every
network has, is a term too and comes first. Shares are at least 0 and add up to about 1,
so devices are comparable whatever their speed and unit, and no network is free.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.terms import Terms
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.showing import Outlined
from hwnas_env.types import FloatArray, Genotypes

UNIT = 1e6
"""Shares are committed as whole numbers of this fraction."""


@dataclass(frozen=True, eq=False)
class Population(Outlined):
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


def priced_terms(space: SearchSpace, dataset: str) -> Terms:
    """Returns the terms that shares are of.

    They are the space's. Where networks are enumerated, a term of which more need not
    cost more stands there once more, as what a network lacks of the largest count: so
    what makes networks cheaper has a share of at least 0 too.
    """
    terms = space.terms(dataset)
    if not isinstance(space, TableSpace):
        return terms
    lacking = np.flatnonzero(~np.array(terms.growing))
    most = terms.count(space.all_genotypes)[:, lacking].max(axis=0)

    def count(genotypes: Genotypes) -> FloatArray:
        counts = terms.count(genotypes)
        return np.hstack([counts, most - counts[:, lacking]])

    return Terms(
        (*terms.names, *(f"no {terms.names[place]}" for place in lacking)),
        (*terms.groups, *(terms.groups[place] for place in lacking)),
        (*terms.growing, *(False for _ in lacking)),
        count,
    )


def mean_counts(terms: Terms, networks: Genotypes) -> FloatArray:
    """Returns the mean count of each term ``(P,)``, 1 where it is 0."""
    mean = ordered_sum(terms.count(networks).T) / len(networks)
    return np.where(mean == 0.0, 1.0, mean)
