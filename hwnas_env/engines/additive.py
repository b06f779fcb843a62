"""Sums over layers, with a small state: the form of every quantity of a layered space.

A quantity is ``g(start + entry[0, s0, b0] + entry[1, s1, b1] + ...)``, with ``g``
non-decreasing and ``s`` a small state that the preceding blocks set. Its numbers are
rounded, once, to whole multiples of a power of two, so fine that every sum of them is a
float: sums are exact in any order. So batches may add several layers at a time, and
what is computed on prefixes below is exact, not up to a tolerance.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.links import (
    Inverse,
    Linear,
    Link,
    last_multiples,
    number_of,
)
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.showing import Outlined
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray

_FEW = 16
"""Genotypes up to which one gather for all layers is quicker than one a group."""
_GROUP_ROWS = 8192
"""Most entries of the table of several layers, so that it stays in a near cache."""
_BLOCK = 8192
"""Genotypes that are summed at a time, for the same reason."""


@dataclass(frozen=True, eq=False)
class Additive(Outlined):
    """Holds C quantities that are sums over L layers, up to K blocks each, S states.

    What is given is rounded to the grid: to multiples of 2^-52 times a power of two
    above the largest sum, about as fine as one rounding of that sum.

    Attributes:
        start: ``(C,)`` float64.
        entries: ``(L, S, K, C)`` float64; 0 for blocks that a layer does not have.
        next_state: ``(L, S, K)`` int64, the state that a block leaves; state 0 enters.
        links: the C functions g.
        blocks_at: how many blocks each layer has, the first of K; () for K everywhere.
    """

    start: FloatArray
    entries: FloatArray
    next_state: IntArray
    links: tuple[Link, ...]
    blocks_at: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Rounds all numbers to the grid; they are copies, and read-only.

        Raises:
            InvalidArgumentError: arrays that are not of one shape, numbers that are not
                finite, or a next state that there is not.
        """
        self._check()
        layers, _, blocks, _ = self.entries.shape
        object.__setattr__(self, "blocks_at", self.blocks_at or (blocks,) * layers)
        grid = self.grid
        for name in ("start", "entries"):
            array = np.round(getattr(self, name) / grid) * grid
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def _check(self) -> None:
        shape = np.shape(self.entries)
        if len(shape) != 4 or shape[3] != len(self.links):
            message = f"entries: expected (L, S, K, {len(self.links)}), got {shape}"
            raise InvalidArgumentError(message)
        if np.shape(self.next_state) != shape[:3]:
            came = np.shape(self.next_state)
            message = f"next_state: expected the shape {shape[:3]}, got {came}"
            raise InvalidArgumentError(message)
        if np.shape(self.start) != shape[3:]:
            came = np.shape(self.start)
            message = f"start: expected the shape {shape[3:]}, got {came}"
            raise InvalidArgumentError(message)
        if not (np.isfinite(self.entries).all() and np.isfinite(self.start).all()):
            message = "entries and start: expected finite numbers"
            raise InvalidArgumentError(message)
        inside = (self.next_state >= 0) & (self.next_state < shape[1])
        if not inside.all():
            came = self.next_state[~inside][0]
            message = f"next_state: expected 0 to {shape[1] - 1}, got {came}"
            raise InvalidArgumentError(message)
        if self.blocks_at and not (
            len(self.blocks_at) == shape[0]
            and all(1 <= count <= shape[2] for count in self.blocks_at)
        ):
            message = (
                f"blocks_at: expected {shape[0]} counts of 1 to {shape[2]}, got "
                f"{self.blocks_at}"
            )
            raise InvalidArgumentError(message)

    @functools.cached_property
    def grid(self) -> FloatArray:
        """What all numbers of a quantity are multiples of: ``(C,)``, powers of two."""
        most = np.abs(self.entries).max(axis=(1, 2))
        largest = np.abs(self.start) + ordered_sum(most.T)
        fraction, exponent = np.frexp(np.maximum(largest, 1e-280))
        # the power of two that is no smaller: a fraction of 1/2 is one already
        return np.asarray(np.ldexp(1.0, exponent - (fraction == 0.5) - 52))

    @property
    def states(self) -> int:
        """Number of states, S."""
        return int(self.entries.shape[1])

    def totals(
        self, genotypes: Genotypes, *, out: FloatArray | None = None
    ) -> FloatArray:
        """Sums entries, before g: ``(N, L)`` to ``(N, C)``; exact, so in any order."""
        totals = np.empty((len(genotypes), len(self.links))) if out is None else out
        if len(genotypes) <= _FEW:
            totals[:] = self._totals_of_few(genotypes)
            return totals
        for first in range(0, len(genotypes), _BLOCK):
            block = slice(first, first + _BLOCK)
            self._add(genotypes[block], totals[block])
        return totals

    def _add(self, genotypes: Genotypes, totals: FloatArray) -> None:
        """Writes the sums of a block, several layers at a time."""
        weights, tables, following = self._groups
        # whole numbers below 2^24, which float32 holds; so the product is exact
        codes = (weights @ genotypes.T.astype(np.float32)).astype(np.intp)
        part = np.empty_like(totals)
        state = np.zeros(len(genotypes), dtype=np.intp)
        for number, (code, table) in enumerate(zip(codes, tables, strict=True)):
            if self.states > 1:
                code += state * (len(table) // self.states)
                state = following[number].take(code)
            into = part if number else totals
            table.take(code, axis=0, out=into, mode="clip")
            if number:
                totals += part

    @functools.cached_property
    def _groups(
        self,
    ) -> tuple[npt.NDArray[np.float32], list[FloatArray], list[IntArray]]:
        """Groups of layers: code weights ``(G, L)``, sums, and the states they leave.

        A group of k layers with K blocks has a table of S K^k rows; the start is in the
        first.
        """
        states, blocks = self.states, self.blocks_at
        groups: list[list[int]] = [[]]
        for layer in range(len(blocks)):
            rows = states * math.prod(blocks[one] for one in (*groups[-1], layer))
            if groups[-1] and rows > _GROUP_ROWS:
                groups.append([])
            groups[-1].append(layer)
        weights = np.zeros((len(groups), len(blocks)), dtype=np.float32)
        tables, following = [], []
        for number, group in enumerate(groups):
            sums = np.zeros((states, 1, len(self.links)))
            state = np.arange(states)[:, None]
            for layer in group:
                weights[number, layer] = math.prod(blocks[layer + 1 : group[-1] + 1])
                own = slice(blocks[layer])
                longer = sums[:, :, None] + self.entries[layer][:, own][state]
                sums = longer.reshape(states, -1, len(self.links))
                state = self.next_state[layer][:, own][state].reshape(states, -1)
            flat = sums.reshape(-1, len(self.links))
            tables.append(flat + self.start if number == 0 else flat)
            following.append(state.reshape(-1))
        return weights, tables, following

    def _totals_of_few(self, genotypes: Genotypes) -> FloatArray:
        """The same sums with one gather for all layers: quicker for a few genotypes."""
        layers, states, blocks, columns = self.entries.shape
        rows = genotypes + self._first_rows
        if states > 1:
            paths = [self._states_of(row) for row in genotypes.tolist()]
            rows += np.array(paths, dtype=np.int64).reshape(-1, layers) * blocks
        sums = self.entries.reshape(-1, columns)[rows].sum(axis=1)
        return np.asarray(sums + self.start)

    @functools.cached_property
    def _first_rows(self) -> IntArray:
        """Row of each layer's first entry when layers, states and blocks are flat."""
        layers, states, blocks, _ = self.entries.shape
        return np.asarray(np.arange(layers) * (states * blocks))

    def values_of_one(self, genotype: Sequence[int]) -> list[float]:
        """Returns the quantities of one valid genotype: C numbers, the same bits.

        Args:
            genotype: L whole numbers.
        """
        state, rows, kept = 0, [self.start.tolist()], self._rows
        for layer, block in enumerate(genotype):
            row, state = (kept[layer][state] or self._row(layer, state))[block]
            rows.append(row)
        totals = map(sum, zip(*rows, strict=True))
        return list(map(number_of, self.links, totals))

    def _row(self, layer: int, state: int) -> list[tuple[list[float], int]]:
        """Returns, by block, the C entries and the state that is left; kept."""
        entries = self.entries[layer, state].tolist()
        following = self.next_state[layer, state].tolist()
        row = self._rows[layer][state] = list(zip(entries, following, strict=True))
        return row

    @functools.cached_property
    def _rows(self) -> list[list[list[tuple[list[float], int]]]]:
        """What :meth:`_row` has, by layer and state; empty where it was not asked."""
        return [[[]] * self.states for _ in self.blocks_at]

    def _states_of(self, genotype: list[int]) -> list[int]:
        state, path = 0, []
        for layer, block in enumerate(genotype):
            path.append(state)
            _, state = (self._rows[layer][state] or self._row(layer, state))[block]
        return path

    def values(
        self, genotypes: Genotypes, *, out: FloatArray | None = None
    ) -> FloatArray:
        """Returns the quantities of genotypes ``(N, L)``: ``(N, C)`` float64.

        Args:
            genotypes: valid ones.
            out: ``(N, C)`` to write into; a new array by default.
        """
        values = np.empty((len(genotypes), len(self.links))) if out is None else out
        for first in range(0, len(genotypes), _BLOCK):
            block = slice(first, first + _BLOCK)
            part = self.totals(genotypes[block], out=values[block])
            for function, column, operand in self._operations:
                function(part[:, column], operand, out=part[:, column])
            for column, link in self._other_links:
                part[:, column] = link(part[:, column])
        return values

    @functools.cached_property
    def _operations(self) -> list[tuple[np.ufunc, int, float]]:
        """What linear links do, column by column, but for what changes nothing."""
        return [
            (function, column, operand)
            for column, link in enumerate(self.links)
            if isinstance(link, Linear)
            for function, operand, neutral in (
                (np.maximum, link.floor, -math.inf),
                (np.multiply, link.scale, 1.0),
                (np.divide, link.unit, 1.0),
            )
            if operand != neutral
        ]

    @functools.cached_property
    def _other_links(self) -> list[tuple[int, Link]]:
        pairs = enumerate(self.links)
        return [pair for pair in pairs if not isinstance(pair[1], Linear)]

    def columns(self, numbers: Sequence[int]) -> "Additive":
        """Returns some of the quantities, with the same states."""
        chosen = list(numbers)
        return Additive(
            self.start[chosen],
            np.ascontiguousarray(self.entries[..., chosen]),
            self.next_state,
            tuple(self.links[number] for number in chosen),
            self.blocks_at,
        )

    def with_column(self, column: int, other: "Additive") -> "Additive":
        """Returns the same quantities but for one, which is another without states."""
        start, entries, links = self.start.copy(), self.entries.copy(), [*self.links]
        start[column], entries[..., column] = other.start[0], other.entries[..., 0]
        links[column] = other.links[0]
        start.setflags(write=False)
        entries.setflags(write=False)
        found = object.__new__(Additive)  # all is checked, and on its grid, already
        vars(found).update(start=start, entries=entries, links=tuple(links))
        vars(found).update(next_state=self.next_state, blocks_at=self.blocks_at)
        return found

    @functools.cached_property
    def _extremes(self) -> tuple[FloatArray, FloatArray]:
        """See :func:`extremes`."""
        layers, states, _, _ = self.entries.shape
        low, high = np.zeros((layers + 1, states)), np.zeros((layers + 1, states))
        if states == 1:  # sums are exact in any order
            entries, existing = self.entries[:, 0, :, 0], _existing(self)
            low[:-1, 0] = np.where(existing, entries, np.inf).min(axis=1)
            high[:-1, 0] = np.where(existing, entries, -np.inf).max(axis=1)
            low, high = (one[::-1].cumsum(axis=0)[::-1] for one in (low, high))
        else:
            for layer, (entries, following) in reversed([*enumerate(by_layer(self))]):
                low[layer] = (entries + low[layer + 1][following]).min(axis=1)
                high[layer] = (entries + high[layer + 1][following]).max(axis=1)
        low.setflags(write=False)
        high.setflags(write=False)
        return low, high

    def inverse(self, factor: float) -> "Additive":
        """Returns a positive factor over each of the quantities, which are positive."""
        links = tuple(Inverse(link, factor) for link in self.links)
        return replace(self, start=-self.start, entries=-self.entries, links=links)

    def scaled(self, factor: float) -> "Additive":
        """Returns the same quantities times a positive factor.

        Raises:
            InvalidArgumentError: a link is not linear.
        """
        links = []
        for link in self.links:
            if not isinstance(link, Linear):
                message = f"scaled: expected a linear link, got {shown(link)}"
                raise InvalidArgumentError(message)
            links.append(replace(link, scale=link.scale * factor))
        return replace(self, links=tuple(links))


def stateless(
    start: float,
    entries: FloatArray | Sequence[FloatArray] | Sequence[Sequence[float]],
    *,
    tail: Sequence[float] = (),
    link: Link,
) -> Additive:
    """Builds one quantity without states.

    Args:
        start: what every genotype has.
        entries: ``(L, K)``, or L sequences of numbers where layers differ.
        tail: what every genotype has too.
        link: its function g.
    """
    blocks_at = tuple(len(row) for row in entries)
    table = np.zeros((len(entries), 1, max(blocks_at), 1))
    for layer, row in enumerate(entries):
        table[layer, 0, : len(row), 0] = row
    return Additive(
        np.array([start + sum(tail)], dtype=np.float64),
        table,
        np.zeros(table.shape[:3], dtype=np.int64),
        (link,),
        blocks_at,
    )


def nothing(blocks_at: tuple[int, ...]) -> Additive:
    """Builds no quantity at all, of layers with so many blocks each."""
    shape = (len(blocks_at), 1, max(blocks_at))
    states = np.zeros(shape, dtype=np.int64)
    return Additive(np.zeros(0), np.zeros((*shape, 0)), states, (), blocks_at)


def join(parts: Sequence[Additive]) -> Additive:
    """Joins quantities of the same layers and blocks.

    Quantities whose blocks leave the same states share them; the states of different
    ones multiply.
    """
    machines: list[IntArray] = []
    which = []
    for part in parts:
        known = [
            n for n, m in enumerate(machines) if np.array_equal(m, part.next_state)
        ]
        if not known:
            machines.append(part.next_state)
        which.append(known[0] if known else len(machines) - 1)
    # one state for every combination of the machines' own, the last one's fastest
    sizes = [machine.shape[1] for machine in machines]
    own = np.indices(sizes).reshape(len(sizes), -1)
    entries = np.concatenate(
        [part.entries[:, own[n]] for part, n in zip(parts, which, strict=True)], axis=-1
    )
    following = [machine[:, own[n]] for n, machine in enumerate(machines)]
    return Additive(
        np.concatenate([part.start for part in parts]),
        np.ascontiguousarray(entries),
        np.asarray(np.ravel_multi_index(following, sizes), dtype=np.int64),
        tuple(itertools.chain.from_iterable(part.links for part in parts)),
        parts[0].blocks_at,
    )


def last_sums(quantity: Additive, bounds: Sequence[float] | FloatArray) -> FloatArray:
    """Returns the largest whole sums whose values, after g, meet bounds.

    A prefix has a completion that meets the bound if and only if its sum and what is
    added at least, by :func:`extremes` or :func:`needs`, are no more than that.

    Args:
        quantity: one quantity (C = 1).
        bounds: ``(B,)``.

    Returns:
        ``(B,)`` float64, multiples of the grid; one that is more (less) than every sum
        where all (none) meet the bound.
    """
    grid = float(quantity.grid[0])
    return last_multiples(quantity.links[0], grid, np.asarray(bounds, dtype=np.float64))


def largest_prefixes(
    quantity: Additive, bounds: Sequence[float] | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Returns the largest prefix sums from which some completion meets a bound.

    Args:
        quantity: one quantity (C = 1).
        bounds: ``(B,)`` on its value, after g.

    Returns:
        ``(B, L + 1, S)`` float64: entry ``[b, l, s]`` is the largest sum x before layer
        l in state s such that a completion from there has a value of at most bound b;
        less than every sum where none has. And ``(B, L, S, K)``: the same for
        completions that begin with each block, -inf for one that the layer does not
        have. Exact for the sums there are, which lie on the grid.
    """
    last = last_sums(quantity, bounds)[:, None, None]
    return last - extremes(quantity)[0], last[..., None] - needs(quantity)


def needs(quantity: Additive) -> FloatArray:
    """Returns what completions that begin with each block add at least: ``(L, S, K)``.

    inf for a block that the layer does not have.
    """
    low, _ = extremes(quantity)
    if quantity.states == 1:
        sums = quantity.entries[..., 0] + low[1:, :, None]
        return np.where(_existing(quantity)[:, None], sums, np.inf)
    least = np.full(quantity.next_state.shape, np.inf)
    for layer, (entries, following) in enumerate(by_layer(quantity)):
        least[layer, :, : entries.shape[1]] = entries + low[layer + 1][following]
    return least


def extremes(quantity: Additive) -> tuple[FloatArray, FloatArray]:
    """Returns the smallest and largest remaining sums: two ``(L + 1, S)`` arrays.

    Entry ``[l, s]`` is what layers l and later add at least (at most) from state s.
    The arrays are kept, and read-only.
    """
    return quantity._extremes


def smallest_prefixes(quantity: Additive) -> FloatArray:
    """Returns the smallest sum of a prefix: ``(L + 1, S)``, inf where none is."""
    layers, states, _, _ = quantity.entries.shape
    smallest = np.full((layers + 1, states), np.inf)
    smallest[0, 0] = quantity.start[0]
    for layer, (entries, following) in enumerate(by_layer(quantity)):
        sums = smallest[layer][:, None] + entries
        np.minimum.at(smallest[layer + 1], following.reshape(-1), sums.reshape(-1))
    return smallest


def by_layer(quantity: Additive) -> list[tuple[FloatArray, IntArray]]:
    """Returns entries and next states ``(S, K_l)`` of one quantity, layer by layer."""
    return [
        (entries[:, :blocks, 0], following[:, :blocks])
        for entries, following, blocks in zip(
            quantity.entries, quantity.next_state, quantity.blocks_at, strict=True
        )
    ]


def _existing(quantity: Additive) -> BoolArray:
    """Marks the blocks that layers have: ``(L, K)``."""
    blocks = quantity.entries.shape[2]
    return np.arange(blocks) < np.array(quantity.blocks_at)[:, None]


def smallest_value(quantity: Additive) -> float:
    """Returns the smallest value of one quantity over all genotypes, exactly."""
    smallest = quantity.start + extremes(quantity)[0][0, 0]
    return float(quantity.links[0](smallest)[0])
