"""What costs are made of: the terms of a space, whose weighted sum a cost is taken for.

A device is fitted from a few measured networks by finding a weight for every term. A
space names its terms; those of :func:`usual_terms` serve any space.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.showing import Outlined
from hwnas_env.types import FloatArray, Genotypes

if TYPE_CHECKING:
    from hwnas_env.engines.choices import Choices


@dataclass(frozen=True, eq=False)
class Terms(Outlined):
    """Counts the terms of networks; immutable.

    Attributes:
        names: of the ``P`` terms, each once.
        groups: the group of each term; weights of a group are alike in size.
        growing: whether more of a term can only cost more, so that its weight is not
            negative.
        count: genotypes ``(N, L)`` to ``(N, P)`` float64.
        entries: where terms are sums over positions, what each choice adds: for each
            position ``(K_p, P)``. Empty where they are not.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    growing: tuple[bool, ...]
    count: Callable[[Genotypes], FloatArray]
    entries: tuple[FloatArray, ...] = ()

    def weigh(self, weights: Mapping[str, float], genotypes: Genotypes) -> FloatArray:
        """Adds weighted terms in the order of their names: ``(N,)`` float64.

        Term by term, so that sums do not depend on a linear algebra library.
        """
        counts = self.count(genotypes)
        total = np.zeros(len(genotypes))
        for column, name in enumerate(self.names):
            weight = weights.get(name, 0.0)
            if weight:
                total += weight * counts[:, column]
        return total


def layered_terms(
    space: "Choices", groups: Mapping[str, tuple[Sequence[str], Sequence[FloatArray]]]
) -> Terms:
    """Puts together terms that are sums over positions.

    Args:
        space: the search space.
        groups: by the group's name: names of its terms, and for each position what each
            choice adds, ``(K_p, P_g)``. Terms of a group called "work" are growing.
    """
    names = [name for terms, _ in groups.values() for name in terms]
    kinds = [group for group, (terms, _) in groups.items() for _ in terms]
    entries = tuple(
        np.concatenate([tables[position] for _, tables in groups.values()], axis=1)
        for position in range(space.length)
    )

    def count(genotypes: Genotypes) -> FloatArray:
        total = np.zeros((len(genotypes), len(names)))
        for position, table in enumerate(entries):
            total += table[genotypes[:, position]]
        return total

    return Terms(
        *(tuple(names), tuple(kinds), tuple(kind == "work" for kind in kinds)),
        *(count, entries),
    )


def usual_terms(
    space: "Choices", work: Mapping[str, Sequence[FloatArray]]
) -> dict[str, tuple[Sequence[str], Sequence[FloatArray]]]:
    """Returns groups of terms that any space has: see :func:`layered_terms`.

    Args:
        space: the search space.
        work: growing terms: for each position what each choice adds, ``(K_p,)``.

    Returns:
        "work"; where all positions have the same choices "choices", how often each
        stands; and "positions", which choice stands where.
    """
    groups: dict[str, tuple[Sequence[str], Sequence[FloatArray]]] = {}
    if work:
        tables = [np.column_stack(rows) for rows in zip(*work.values(), strict=True)]
        groups["work"] = tuple(work), tables
    if space.uniform:
        table = np.eye(space.choices)
        groups["choices"] = space.operations_at[0], [table] * space.length
    marks = np.eye(space.offsets[-1])
    places = list(zip(space.offsets, space.offsets[1:], strict=False))
    names = [
        f"{position}: {choice}"
        for position, choices in zip(space.positions, space.operations_at, strict=True)
        for choice in choices
    ]
    groups["positions"] = names, [marks[first:last] for first, last in places]
    return groups
