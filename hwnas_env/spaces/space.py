"""What every search space offers: one frozen object, batch functions on genotypes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_generator, check_name, check_whole
from hwnas_env.errors import InvalidGenotypeError, NotExactError, shown
from hwnas_env.types import Genotypes, IntArray

MOST_DRAWN = 1 << 32
"""Most genotypes that are drawn at a time: more than any memory holds."""


@dataclass(frozen=True)
class SearchSpace(ABC):
    """Describes a search space of ``L`` positions with ``K`` choices each.

    Attributes:
        name: the key in ``SEARCH_SPACES`` ("nasbench201").
        label: the word in environment ids ("NASBench201").
        operations: the ``K`` choices, by name; a genotype holds their indices.
        positions: the ``L`` positions, by name, in the order of decisions.
        datasets: the datasets that HW-NAS-Bench covers.
        default_dataset: the dataset of an environment that names none.
        form: what an architecture's name looks like, for messages.
    """

    form: ClassVar[str]
    name: str
    label: str
    operations: tuple[str, ...]
    positions: tuple[str, ...]
    datasets: tuple[str, ...]
    default_dataset: str

    @property
    def length(self) -> int:
        """Number of positions, ``L``."""
        return len(self.positions)

    @property
    def choices(self) -> int:
        """Number of choices at every position, ``K``."""
        return len(self.operations)

    @property
    def size(self) -> int:
        """Number of genotypes, ``K ** L``, as an exact Python integer."""
        return int(self.choices**self.length)

    @abstractmethod
    def encode(self, architecture: str | Sequence[str]) -> Genotypes:
        """Reads one architecture's name into a genotype ``(L,)`` int8."""

    @abstractmethod
    def decode(self, genotype: npt.ArrayLike) -> str:
        """Writes one genotype ``(L,)`` as the architecture's name."""

    @abstractmethod
    def parameters(self, genotypes: npt.ArrayLike, *, dataset: str) -> IntArray:
        """Counts the trainable parameters of genotypes ``(N, L)``: ``(N,)`` int64."""

    @abstractmethod
    def flops(self, genotypes: npt.ArrayLike, *, dataset: str) -> IntArray:
        """Counts the multiply-adds of genotypes ``(N, L)`` for one image: ``(N,)``."""

    def index(self, genotypes: npt.ArrayLike) -> IntArray:
        """Returns the official index of genotypes ``(N, L)``: ``(N,)`` int64.

        Raises:
            NotExactError: the space has more genotypes than 64 bits can number.
        """
        raise self._no_index(genotypes)

    def from_index(self, indices: npt.ArrayLike) -> Genotypes:
        """Returns the genotypes ``(N, L)`` int8 of official indices ``(N,)``.

        Raises:
            NotExactError: the space has more genotypes than 64 bits can number.
        """
        raise self._no_index(indices)

    @property
    def has_numbers(self) -> bool:
        """Whether :meth:`keys` are numbers in [0, size); else they are bytes."""
        return False

    def keys(self, genotypes: Genotypes) -> IntArray | list[bytes]:
        """Tells valid genotypes ``(N, L)`` apart: equal ones have equal keys.

        Returns:
            Numbers ``(N,)`` where the space has few networks, else N bytes.
        """
        rows = np.ascontiguousarray(genotypes).view(f"V{self.length}")
        return list(rows.ravel().tolist())

    def from_keys(self, keys: Any) -> Genotypes:
        """Returns the genotypes ``(N, L)`` int8 of N keys; the inverse of :meth:`keys`.

        Args:
            keys: numbers or bytes, as :meth:`keys` gives them; N may be 0.
        """
        rows = np.frombuffer(b"".join(keys), dtype=np.int8)
        return rows.reshape(-1, self.length).copy()

    def classes_of_numbers(self, numbers: IntArray) -> IntArray:
        """Returns the isomorphism classes ``(N,)`` of the networks of :meth:`keys`.

        Raises:
            NotExactError: the space's networks have no numbers.
        """
        raise self._no_index(numbers)

    def isomorphism_class(self, genotypes: npt.ArrayLike) -> IntArray | None:
        """Returns class numbers ``(N,)``, or None where the space has no classes."""
        self.validate(genotypes)
        return None

    def _no_index(self, came: object) -> NotExactError:
        message = (
            f"no index {shown(came)}: {self.name} has {self.choices}^{self.length} "
            f"networks, more than 64 bits can number; name one by {self.form}"
        )
        return NotExactError(message)

    def check_dataset(self, dataset: str) -> str:
        """Returns the dataset's name, or raises with the nearest right one.

        Raises:
            UnknownNameError: the space is not measured on that dataset.
        """
        return check_name(dataset, self.datasets, what=f"dataset of {self.name}")

    def validate(self, genotypes: npt.ArrayLike) -> Genotypes:
        """Checks genotypes and returns them as a C-contiguous ``(N, L)`` int8 array.

        Args:
            genotypes: integers ``(N, L)`` in ``[0, K)``; one genotype ``(L,)`` counts
                as a batch of one, and N may be 0.

        Returns:
            The genotypes; the input itself where it already has that form.

        Raises:
            InvalidGenotypeError: wrong shape, not integers, or out of range.
        """
        if self._is_valid_int8(genotypes):
            return genotypes  # type: ignore[return-value]
        array = self._array(genotypes)
        if array.ndim == 1 and len(array) == self.length:
            array = array[None, :]
        if array.shape == (0,):
            array = array.reshape(0, self.length)
        if array.ndim != 2 or array.shape[1] != self.length:
            message = (
                f"{self.name}: expected genotypes of shape (N, {self.length}) or "
                f"({self.length},), got {array.shape}"
            )
            raise InvalidGenotypeError(message)
        if array.dtype.kind not in "iu" and array.size:
            message = (
                f"{self.name}: expected integers in [0, {self.choices}), got dtype "
                f"{array.dtype}; encode() reads names"
            )
            raise InvalidGenotypeError(message)
        if array.size and (array.max() >= self.choices or array.min() < 0):
            row, position = np.argwhere((array < 0) | (array >= self.choices))[0]
            message = (
                f"{self.name}: row {row}, position {self.positions[position]!r}: "
                f"expected 0 to {self.choices - 1}, got {array[row, position]}"
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
        return (
            type(genotypes) is np.ndarray
            and genotypes.dtype == np.int8
            and genotypes.ndim == 2
            and genotypes.shape[1] == self.length
            and bool(genotypes.flags.c_contiguous)
            # as unsigned numbers, negative ones are the largest
            and bool(genotypes.view(np.uint8).max(initial=0) < self.choices)
        )

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
        return np.asarray(draw(0, self.choices, shape, dtype=np.int8))

    def neighbours(self, genotype: npt.ArrayLike) -> Genotypes:
        """Returns all genotypes that differ in one position: ``(L (K - 1), L)`` int8.

        Example:
            >>> from hwnas_env.spaces import SEARCH_SPACES
            >>> SEARCH_SPACES["nasbench201"].neighbours([0, 1, 2, 3, 4, 0]).shape
            (24, 6)
        """
        centre = self.validate_one(genotype)
        rows = np.repeat(centre[None, :], self.length * (self.choices - 1), axis=0)
        position = np.repeat(np.arange(self.length), self.choices - 1)
        step = np.tile(np.arange(1, self.choices), self.length)
        column = rows[np.arange(len(rows)), position].astype(np.int64)
        rows[np.arange(len(rows)), position] = (column + step) % self.choices
        return rows

    def operation(self, name: str) -> int:
        """Returns an operation's number.

        Raises:
            UnknownNameError: there is no such operation.
        """
        check_name(name, self.operations, what=f"operation of {self.name}")
        return self.operations.index(name)

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
        return np.array([self.operation(name) for name in names], dtype=np.int8)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SearchSpace":
        """Returns itself: a search space is a constant."""
        return self
