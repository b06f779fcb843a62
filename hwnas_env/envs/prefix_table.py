"""A small space's construct episodes, worked out in advance: one row a prefix.

Where every network can be enumerated and the budget is fixed, a step is a look-up.
Its rows are made by the same batch functions that other spaces call step by step.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.walk import Mask, TableWalk
from hwnas_env.envs.query_columns import Columns, QueryColumns
from hwnas_env.types import BoolArray, FloatArray, Genotypes

PrefixRow = tuple[npt.NDArray[np.float32], npt.NDArray[np.int8], Mask, bool]


@dataclass(frozen=True, eq=False)
class PrefixTable:
    """What construct shows at every prefix; prefixes are numbered as in ``PrefixTree``.

    Attributes:
        query_columns: what a query comes to.
        budget: in the metric's unit.
        tail: ``(T,)`` float32, what ends every observation.
        observation: ``(P, D)`` float32.
        genotype: ``(P, L)`` int8, -1 where undecided.
        mask: ``(P, K)`` int8.
        completable: ``(P,)`` bool.
        leaves: number of the first network.
        shifts: by depth, what leads from a prefix's number to its children's.
        columns: pairs of info key and column, one row a network.
        reward: ``(size,)`` or ``(size, k)``.
    """

    query_columns: QueryColumns
    budget: float
    tail: tuple[float, ...]
    observation: npt.NDArray[np.float32]
    genotype: Genotypes
    mask: Mask
    completable: BoolArray
    leaves: int
    shifts: tuple[int, ...]
    columns: tuple[tuple[str, npt.NDArray[Any]], ...]
    reward: FloatArray

    def row(self, prefix: int) -> PrefixRow:
        """Returns observation, genotype, mask and completable of one prefix, kept."""
        found = self._kept.get(prefix)
        if found is None:
            found = self._kept[prefix] = (
                self.observation[prefix],
                self.genotype[prefix],
                self.mask[prefix],
                self.completable.item(prefix),
            )
        return found

    @functools.cached_property
    def records(self) -> npt.NDArray[np.void]:
        """Mask, genotype and completable in one record a prefix: one gather for all."""
        return _records(
            {name: getattr(self, name) for name in ("mask", "genotype", "completable")}
        )

    @functools.cached_property
    def network_records(self) -> npt.NDArray[np.void]:
        """The columns and the reward in one record a network."""
        return _records({**dict(self.columns), "reward": self.reward})

    @functools.cached_property
    def _kept(self) -> dict[int, PrefixRow]:
        return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "PrefixTable":
        """Returns itself: nothing of it changes."""
        return self

    def __reduce__(self) -> Any:
        """Is worked out anew where it is unpickled, which is quicker than to move."""
        return make_prefix_table, (self.query_columns, self.budget, self.tail)


@functools.lru_cache(maxsize=16)
def make_prefix_table(
    query_columns: QueryColumns, budget: float, tail: tuple[float, ...]
) -> PrefixTable:
    """Works all rows out; the space must be enumerated, its accuracy fixed."""
    problem = query_columns.problem
    walk = problem.walk(budget)
    assert isinstance(walk, TableWalk), "small spaces have table walks"
    genotypes, one_hot = prefixes(problem.space)
    leaves = walk.tree.leaves
    ends = np.broadcast_to(
        np.array(tail, dtype=np.float32), (len(genotypes), len(tail))
    )
    evaluation = problem.evaluate(genotypes[leaves:])
    columns = {
        key: np.ascontiguousarray(column)
        for key, column in query_columns(evaluation, budget=budget).items()
    }
    table = PrefixTable(
        query_columns=query_columns,
        budget=budget,
        tail=tail,
        observation=np.hstack([one_hot, walk.ratios.astype(np.float32), ends]),
        genotype=genotypes,
        mask=walk.masks,
        completable=walk.completable,
        leaves=leaves,
        shifts=walk.tree.shifts,
        reward=columns.pop("reward"),
        columns=tuple(columns.items()),
    )
    columns_only = [column for _, column in table.columns]
    for value in (*vars(table).values(), *columns_only):
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return table


def _records(columns: Columns) -> npt.NDArray[np.void]:
    """Puts columns ``(P, ...)`` into records ``(P,)``.

    Padded to a power of two, where NumPy gathers small records much faster.
    """
    fields = [(name, c.dtype, c.shape[1:]) for name, c in columns.items()]
    size = np.dtype(fields).itemsize
    padding = (1 << (size - 1).bit_length()) - size
    length = len(next(iter(columns.values())))
    table = np.zeros(length, [*fields, ("", np.int8, (padding,))])
    for name, column in columns.items():
        table[name] = column
    table.setflags(write=False)
    return table


@functools.cache
def prefixes(space: SearchSpace) -> tuple[Genotypes, npt.NDArray[np.float32]]:
    """Returns every prefix ``(P, L)``, and its decisions and position one-hot.

    The second is ``(P, sum K_p + L)``; prefixes are numbered as in ``PrefixTree``.
    """
    rows = [np.full((1, space.length), -1, dtype=np.int8)]
    for depth, choices in enumerate(space.choices_at):
        longer = np.repeat(rows[-1], choices, axis=0)
        longer[:, depth] = np.tile(np.arange(choices), len(rows[-1]))
        rows.append(longer)
    genotypes = np.concatenate(rows)
    decided = (genotypes >= 0).sum(axis=1)
    position = decided[:, None] == np.arange(space.length)
    observed = np.hstack([space.one_hot(genotypes), position]).astype(np.float32)
    genotypes.setflags(write=False)
    observed.setflags(write=False)
    return genotypes, observed
