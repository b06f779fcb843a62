"""What there is to choose in a search space: positions, names, checks and draws."""

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_generator, check_name, check_whole
from hwnas_env.errors import InvalidGenotypeError, shown
from hwnas_env.showing import Outlined, line
from hwnas_env.types import Genotypes

LETTERS = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "!#$%&()*+,-./:;<=>?@[]^_`{|}~"
)
"""What choices are written as in records, the first of them as digits."""

MARK = "g"
"""May stand before a word, so that whatever reads a table takes none for a number."""

MOST_DRAWN = 1 << 32
"""Most genotypes that are drawn at a time: more than any memory holds."""


@dataclass(frozen=True)
class Choices(Outlined):
    """Describes ``L`` positions with up to ``K`` choices each.

    Attributes:
        name: the key in ``SEARCH_SPACES``, for example "nasbench201".
        label: the word in environment ids, for example "NASBench201".
        operations: the ``K`` choices by name, where all positions share them; else a
            tuple of names for each position. A genotype holds their indices.
        positions: the ``L`` positions, by name, in the order of decisions.
        datasets: the datasets that the networks are trained on.
        default_dataset: the dataset of an environment that names none.
        architecture_form: what an architecture's name looks like, for messages.
        budgets: which quantiles of the cost over the deployable networks the preset
            budgets are.
    """

    architecture_form: ClassVar[str] = "one operation's name a position, joined by |"
    budgets: ClassVar[Mapping[str, float]] = MappingProxyType(
        {"tight": 0.10, "medium": 0.25, "loose": 0.50}
    )
    name: str
    label: str
    operations: tuple[str, ...] | tuple[tuple[str, ...], ...]
    positions: tuple[str, ...]
    datasets: tuple[str, ...]
    default_dataset: str

    def __repr__(self) -> str:
        """Returns the label, what there is to choose, and the datasets."""
        most = f"{self.choices} choices" if self.uniform else f"up to {self.choices}"
        count = f"{self.size:,}" if self.size < 1e9 else f"{self.size:.1e}"
        words = f"{self.label}: {count} networks, {self.length} positions of {most}"
        return line("SearchSpace", f"{words}; {', '.join(self.datasets)}")

    @property
    def length(self) -> int:
        """Number of positions, ``L``."""
        return len(self.positions)

    @functools.cached_property
    def operations_at(self) -> tuple[tuple[str, ...], ...]:
        """The choices of every position, by name: ``L`` tuples."""
        first: Any = self.operations[0]
        every: Any = self.operations
        return (every,) * self.length if isinstance(first, str) else every

    @functools.cached_property
    def action_words(self) -> str:
        """The choices of the position that has most of them, for messages."""
        return ", ".join(self.operations_at[self.choices_at.index(self.choices)])

    @functools.cached_property
    def choices_at(self) -> tuple[int, ...]:
        """Number of choices at every position: ``K_p`` for each of ``L``."""
        return tuple(len(names) for names in self.operations_at)

    @functools.cached_property
    def choices(self) -> int:
        """Largest number of choices at a position, ``K``."""
        return max(self.choices_at)

    @functools.cached_property
    def uniform(self) -> bool:
        """Whether every position has ``K`` choices."""
        return min(self.choices_at) == self.choices

    @functools.cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each position begins in a one-hot row of all choices, and its end."""
        return (0, *np.cumsum(self.choices_at).tolist())

    @functools.cached_property
    def existing(self) -> npt.NDArray[np.int8]:
        """Marks the choices that a position has: ``(L, K)`` int8, read-only."""
        marks = np.arange(self.choices) < np.array(self.choices_at)[:, None]
        marks.setflags(write=False)
        return marks.view(np.int8)

    @functools.cached_property
    def size(self) -> int:
        """Number of genotypes, the product of all ``K_p``, as a Python integer."""
        return math.prod(self.choices_at)

    def one_hot(self, genotypes: Genotypes) -> npt.NDArray[np.bool_]:
        """Marks the decisions of genotypes ``(N, L)``, side by side: ``(N, sum K_p)``.

        Args:
            genotypes: valid ones, or prefixes with -1 where nothing is decided.
        """
        marks = genotypes[:, :, None] == np.arange(self.choices)
        flat = marks.reshape(len(genotypes), self.length * self.choices)
        shown = flat if self.uniform else flat[:, self.existing.reshape(-1) == 1]
        return np.asarray(shown)

    def describe_positions(self, genotype: Sequence[int]) -> list[str]:
        """Writes the decisions as lines of text, several positions a line.

        Args:
            genotype: ``L`` decisions, -1 where undecided, which is written as "?".
        """
        names = [self.choice_name(p, choice) for p, choice in enumerate(genotype)]
        width = max(len(name) for at in self.operations_at for name in at)
        cells = [f"{n:>2} {name:<{width}}" for n, name in enumerate(names, start=1)]
        return [
            "  " + "  ".join(cells[row : row + 6]) for row in range(0, len(cells), 6)
        ]

    def choice_name(self, position: int, choice: int) -> str:
        """Returns a choice's name at a position, "?" for -1, undecided."""
        return self.operations_at[position][choice] if choice >= 0 else "?"

    # Names of architectures

    def encode(self, architecture: str | Sequence[str]) -> Genotypes:
        """Reads one architecture's name into a genotype ``(L,)`` int8.

        Args:
            architecture: one operation's name a position: a sequence of names, or one
                string with the names separated by ``|``, commas or blanks.

        Raises:
            InvalidGenotypeError: not as many names as positions.
            UnknownNameError: a position has no such operation.
        """
        if isinstance(architecture, str):
            architecture = re.split(r"[|,\s]+", architecture.strip().strip("|"))
        return self.encode_names(architecture)

    def decode(self, genotype: npt.ArrayLike) -> str:
        """Writes one genotype ``(L,)`` as names joined by ``|``."""
        row = self.validate_one(genotype).tolist()
        return "|".join(self.choice_name(*pair) for pair in enumerate(row))

    def operation(self, name: str, *, position: int = 0) -> int:
        """Returns an operation's number.

        Args:
            name: the operation.
            position: where; positions may have different operations.

        Raises:
            UnknownNameError: there is no such operation.
        """
        names = self.operations_at[position]
        where = "" if self.uniform else f", {self.positions[position]}"
        check_name(name, names, what=f"operation of {self.name}{where}")
        return names.index(name)

    def encode_names(self, names: Sequence[str]) -> Genotypes:
        """Turns one operation name a position into a genotype ``(L,)`` int8.

        Raises:
            InvalidGenotypeError: not as many names as positions.
            UnknownNameError: there is no such operation.
        """
        listed = isinstance(names, Sequence) and not isinstance(names, str)
        if not listed or not all(isinstance(name, str) for name in names):
            message = f"{self.name}: expected operation names, got {shown(names)}"
            raise InvalidGenotypeError(message)
        if len(names) != self.length:
            message = (
                f"{self.name}: expected {self.length} operation names, got {len(names)}"
            )
            raise InvalidGenotypeError(message)
        numbers = [self.operation(n, position=p) for p, n in enumerate(names)]
        return np.array(numbers, dtype=np.int8)

    def words(self, genotypes: Genotypes) -> tuple[str, ...]:
        """Writes valid genotypes ``(N, L)`` in records: a letter a position.

        Choices 0 to 9 are digits, so networks of few choices are numbers to read.
        """
        return tuple(
            "".join(map(LETTERS.__getitem__, row)) for row in genotypes.tolist()
        )

    def from_words(self, words: Sequence[str]) -> Genotypes:
        """Reads what :meth:`words` writes: ``(N, L)`` int8.

        Args:
            words: a letter a position; or as records have it, with a "g" before them.

        Raises:
            InvalidGenotypeError: a word of another length, or of other letters.
        """
        rows = [[LETTERS.find(letter) for letter in self._bare(one)] for one in words]
        return self.validate(rows or np.zeros((0, self.length), dtype=np.int8))

    def _bare(self, word: str) -> str:
        """Returns a word without the mark before it."""
        if word[:1] != MARK:
            return word
        if len(word) == self.length and self.choices <= LETTERS.index(MARK):
            message = (
                f"{word}: expected {self.length} letters behind {MARK!r}, got "
                f"{self.length - 1}"
            )
            raise InvalidGenotypeError(message)
        return word[1:] if len(word) == self.length + 1 else word

    # Checks and draws

    def check_dataset(self, dataset: str) -> str:
        """Returns the dataset's name, or raises with the nearest right one.

        Raises:
            UnknownNameError: the space has no such dataset.
        """
        return check_name(dataset, self.datasets, what=f"dataset of {self.name}")

    def validate(self, genotypes: npt.ArrayLike) -> Genotypes:
        """Checks genotypes and returns them as a C-contiguous ``(N, L)`` int8 array.

        Args:
            genotypes: integers ``(N, L)`` in ``[0, K_p)``; one genotype ``(L,)`` counts
                as a batch of one, and N may be 0. Or the name of an architecture, or a
                list of N names, each as :meth:`encode` reads it.

        Returns:
            The genotypes; the input itself where it already has that form.

        Raises:
            InvalidGenotypeError: wrong shape, not integers, or out of range.
            UnknownNameError: a name has an operation that a position has not.
        """
        if self._is_valid_int8(genotypes):
            return genotypes  # type: ignore[return-value]
        array = self._array(genotypes)
        texts = array.ndim < 2 and array.dtype.kind in "UOT"
        names = array.reshape(-1).tolist() if texts else []
        if names and all(isinstance(name, str) for name in names):
            array = np.array([self.encode(name) for name in names], dtype=np.int8)
        if array.ndim == 1 and len(array) == self.length:
            array = array[None, :]
        if array.shape == (0,):
            array = array.reshape(0, self.length)
        if array.ndim != 2 or array.shape[1] != self.length:
            message = (
                f"{self.name}: expected genotypes of shape (N, {self.length}) or "
                f"({self.length},), got {array.shape}; or names of architectures"
            )
            raise InvalidGenotypeError(message)
        if array.dtype.kind not in "iu" and array.size:
            message = (
                f"{self.name}: expected integers in [0, {self.choices}), got dtype "
                f"{array.dtype}; encode() reads names"
            )
            raise InvalidGenotypeError(message)
        wrong = (array < 0) | (array >= np.array(self.choices_at)) if array.size else ()
        if np.any(wrong):
            row, position = np.argwhere(wrong)[0]
            message = (
                f"{self.name}: row {row}, position {self.positions[position]!r}: "
                f"expected 0 to {self.choices_at[position] - 1}, got "
                f"{array[row, position]}"
            )
            raise InvalidGenotypeError(message)
        return np.asarray(array, dtype=np.int8, order="C")

    def _array(self, values: npt.ArrayLike) -> npt.NDArray[Any]:
        """Returns values as an array, or raises if they have no common shape."""
        try:
            return np.asarray(values)
        except ValueError as error:
            message = f"{self.name}: expected an array of integers: {error}"
            raise InvalidGenotypeError(message) from None

    def _is_valid_int8(self, genotypes: npt.ArrayLike) -> bool:
        """Whether genotypes have the form of the answer already: a quick look."""
        if not (
            type(genotypes) is np.ndarray
            and genotypes.dtype == np.int8
            and genotypes.ndim == 2
            and genotypes.shape[1] == self.length
            and bool(genotypes.flags.c_contiguous)
        ):
            return False
        unsigned = genotypes.view(np.uint8)  # in which negative ones are the largest
        if self.uniform:
            return bool(unsigned.max(initial=0) < self.choices)
        return bool((unsigned < np.array(self.choices_at)).all())

    def validate_one(self, genotype: npt.ArrayLike) -> Genotypes:
        """Checks one genotype and returns it as ``(L,)`` int8.

        Raises:
            InvalidGenotypeError: it is not exactly one valid genotype.
        """
        batch = self.validate(genotype)
        if len(batch) != 1:
            message = f"{self.name}: expected one genotype, got {len(batch)}"
            raise InvalidGenotypeError(message)
        return np.asarray(batch[0])

    def sample(self, n: int, *, rng: np.random.Generator) -> Genotypes:
        """Draws ``n`` genotypes uniformly, with replacement: ``(n, L)`` int8.

        Raises:
            InvalidArgumentError: n is no whole number of at least 0, or ``rng`` is no
                generator.
        """
        shape = (check_whole(n, what="n", most=MOST_DRAWN), self.length)
        draw = check_generator(rng).integers
        high = self.choices if self.uniform else self.choices_at
        return np.asarray(draw(0, high, shape, dtype=np.int8))

    def neighbours(self, genotype: npt.ArrayLike) -> Genotypes:
        """Returns all genotypes that differ in one position: ``(sum (K_p - 1), L)``.

        Example:
            >>> from hwnas_env.spaces import SEARCH_SPACES
            >>> SEARCH_SPACES["nasbench201"].neighbours([0, 1, 2, 3, 4, 0]).shape
            (24, 6)
        """
        centre = self.validate_one(genotype)
        others = [count - 1 for count in self.choices_at]
        position = np.repeat(np.arange(self.length), others)
        step = np.concatenate([np.arange(1, count) for count in self.choices_at])
        rows = np.repeat(centre[None, :], len(position), axis=0)
        column = rows[np.arange(len(rows)), position].astype(np.int64)
        moved = (column + step) % np.array(self.choices_at)[position]
        rows[np.arange(len(rows)), position] = moved
        return rows

    def __deepcopy__(self, memo: dict[int, Any]) -> "Choices":
        """Returns itself: a search space is a constant."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind what is worked out from the attributes when it is needed."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
