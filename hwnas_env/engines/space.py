"""What every search space offers: one frozen object, batch functions on genotypes.

Its two forms, a table of all networks and sums over layers, are in
:mod:`hwnas_env.engines.forms`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.choices import Choices
from hwnas_env.errors import (
    NoDesignError,
    NoNetworkError,
    NoPopulationError,
    NotExactError,
    NotMeasuredError,
    shown,
)
from hwnas_env.showing import Outlined
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray, Provenance

if TYPE_CHECKING:
    from hwnas_env.engines.columns import (
        CostSource,
        LayeredAccuracy,
        LayeredCosts,
        TableAccuracy,
        TableCosts,
    )
    from hwnas_env.engines.population import Population
    from hwnas_env.engines.terms import Terms


@dataclass(frozen=True)
class Blueprint:
    """Builds PyTorch modules of a space's networks on one dataset.

    Attributes:
        build: a valid genotype ``(L,)`` to a module, its weights drawn.
        side: height and width of the input in pixels; it has three channels.
        classes: outputs of the classifier.
        bias: multiply-adds that the space counts for every output's bias of the
            classifier; weights count 1 for every product.
        normalisation: the same for every number that is normalised.
        pooling: the same for every number and channel that is pooled globally.
    """

    build: Callable[[Genotypes], Any]
    side: int
    classes: int
    bias: int = 0
    normalisation: int = 0
    pooling: int = 0


@dataclass(frozen=True, eq=False)
class Design(Outlined):
    """Lists networks to measure on a new device; fixed, so that lists continue.

    Attributes:
        fit: ``(60, L)`` int8: the first k are the ones to measure if k are measured.
        validation: ``(50, L)`` int8: drawn at random, for the error of the fit.
    """

    fit: Genotypes
    validation: Genotypes


def read_design(space: Choices, path: Path) -> Design:
    """Reads a room's list of networks to measure: words a network, in two lists."""
    found = json.loads(path.read_bytes())
    return Design(*(space.from_words(found[key]) for key in ("fit", "validation")))


@dataclass(frozen=True)
class SearchSpace(Choices, ABC):
    """Describes a search space: its choices, and who answers for its networks.

    A subclass is a :class:`~hwnas_env.engines.forms.TableSpace` or a
    :class:`~hwnas_env.engines.forms.LayeredSpace`. Its attributes are those of
    :class:`~hwnas_env.engines.choices.Choices`.
    """

    # What a space is made of: each room says it of its own

    @abstractmethod
    def costs(self, device: "CostSource", dataset: str) -> "TableCosts | LayeredCosts":
        """Returns the built-in costs on a device: its metrics, their provenance."""

    @abstractmethod
    def accuracy(
        self, name: str | int, dataset: str
    ) -> "TableAccuracy | LayeredAccuracy":
        """Returns an accuracy by its name; "mean" is there in every space.

        Raises:
            InvalidArgumentError: the space has no such accuracy.
        """

    def counts(self, dataset: str) -> Mapping[str, Any]:
        """Returns what is counted from the architecture alone, by metric.

        A table space gives ``(size,)`` float64 in the order of :meth:`genotypes`, a
        layered one an :class:`~hwnas_env.engines.additive.Additive`. Nothing by
        default.
        """
        del dataset
        return {}

    def measured(
        self, device: "CostSource", dataset: str, *, metric: str
    ) -> "TableCosts | LayeredCosts":
        """Returns the costs that an imported file of measurements holds.

        Args:
            device: the device.
            dataset: one of the space's.
            metric: the one that must be there; another whose column has holes is left
                out.

        Raises:
            DataMissingError: nothing is imported; names the command.
            NotMeasuredError: nobody measured that, or the imported column has holes.
        """
        del dataset, metric
        message = (
            f"{self.name} on the {device.name}: no file of measurements is known; "
            'source="builtin" has an answer'
        )
        raise NotMeasuredError(message)

    def measured_values(
        self, device: "CostSource", dataset: str, genotype: Genotypes
    ) -> tuple[dict[str, float], Provenance]:
        """Returns what an imported file of measurements holds of one network.

        Args:
            device: the device.
            dataset: one of the space's.
            genotype: ``(L,)``.

        Returns:
            Values by metric, and by "accuracy"; no key for what is not held. And where
            they come from.

        Raises:
            DataMissingError: nothing is imported; names the command.
            NotMeasuredError: nobody measured that.
        """
        del dataset, genotype
        message = f"{self.name} on the {device.name}: no file of measurements is known"
        raise NotMeasuredError(message)

    def held_columns(
        self, device: "CostSource", dataset: str
    ) -> Mapping[str, FloatArray]:
        """Returns every column of a device that an imported file of measurements holds.

        Args:
            device: the device.
            dataset: one of the space's.

        Returns:
            By metric, ``(size,)`` float64 in the order of :meth:`genotypes`, which is
            that of measuring; NaN where the file has no value, columns with holes
            included, and inf where a network is not deployable. No key for a metric
            that it does not have.

        Raises:
            DataMissingError: nothing is imported; names the command.
            NotMeasuredError: no file of measurements has columns of the space.
        """
        del dataset
        message = (
            f"{self.name} on the {device.name}: no file of measurements is known that "
            "has a row for each network, in the order of measuring"
        )
        raise NotMeasuredError(message)

    def network(self, dataset: str) -> "Blueprint":
        """Returns what builds PyTorch modules of the space's networks.

        Args:
            dataset: one of the space's; it sets the input's size and the classes.

        Raises:
            NoNetworkError: the space offers none, the default.
            MissingExtraError: PyTorch is not installed.
        """
        del dataset
        message = (
            f"{self.name} offers no networks: its class has no network(dataset), which "
            "returns a Blueprint"
        )
        raise NoNetworkError(message)

    @abstractmethod
    def terms(self, dataset: str) -> "Terms":
        """Returns what costs are made of, which devices are fitted by.

        Both forms of a space have a default; see :mod:`hwnas_env.engines.terms`.
        """

    def constant(self, genotypes: Genotypes) -> BoolArray:
        """Marks valid genotypes ``(N, L)`` whose output ignores the input: ``(N,)``.

        What they cost says little of others, and nobody searches for one. None by
        default.
        """
        return np.zeros(len(genotypes), dtype=np.bool_)

    @property
    def design(self) -> "Design":
        """Which networks to measure on a new device.

        Raises:
            NoDesignError: the space offers no list, the default.
        """
        message = (
            f"{self.name} offers no list of networks to measure: its class has no "
            "design; measure networks drawn at random by sample()"
        )
        raise NoDesignError(message)

    @property
    def population(self) -> "Population":
        """What the real devices of the space have in common, to draw others alike.

        Raises:
            NoPopulationError: the space does not say so, the default.
        """
        message = (
            f"{self.name} has no devices to draw: its class has no population, which "
            "returns what its real devices have in common"
        )
        raise NoPopulationError(message)

    @property
    def has_population(self) -> bool:
        """Whether the space's class has a population."""
        return type(self).population is not SearchSpace.population

    def draw(self, axes: Any, genotype: Sequence[int]) -> None:
        """Draws a network with matplotlib: by default a row of boxes, one a position.

        Args:
            axes: matplotlib's, to draw on.
            genotype: ``L`` decisions, -1 where undecided.
        """
        from hwnas_env.engines.picture import draw_boxes  # here: matplotlib is optional

        draw_boxes(axes, self, genotype)

    # What tells networks apart

    def index(self, genotypes: npt.ArrayLike) -> IntArray:
        """Returns the rows of genotypes ``(N, L)`` in tables of the space: ``(N,)``.

        Raises:
            NotExactError: the space is not enumerated.
        """
        raise self._no_index(genotypes)

    def from_index(self, indices: npt.ArrayLike) -> Genotypes:
        """Returns the genotypes ``(N, L)`` int8 of rows ``(N,)``.

        Raises:
            NotExactError: the space is not enumerated.
        """
        raise self._no_index(indices)

    @property
    def has_numbers(self) -> bool:
        """Whether :meth:`keys` are numbers in [0, size); else they are bytes."""
        return False

    def keys(self, genotypes: Genotypes) -> IntArray | list[bytes]:
        """Tells valid genotypes ``(N, L)`` apart: equal ones have equal keys.

        Returns:
            Numbers ``(N,)`` where the space is enumerated, else N bytes.
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

    def classes_of_numbers(self, numbers: IntArray) -> IntArray | None:
        """Returns the isomorphism classes ``(N,)`` of the networks of :meth:`keys`.

        None where the space has no classes.
        """
        del numbers
        return None

    def isomorphism_class(self, genotypes: npt.ArrayLike) -> IntArray | None:
        """Returns class numbers ``(N,)``, or None where the space has no classes."""
        rows = self.validate(genotypes)
        keys = self.keys(rows)
        return None if isinstance(keys, list) else self.classes_of_numbers(keys)

    def _no_index(self, came: object) -> NotExactError:
        power = f"{self.choices}^{self.length}" if self.uniform else f"{self.size:,}"
        many = self.size > 1 << 63
        why = "more than 64 bits can number" if many else "which stand in no table"
        message = (
            f"no index {shown(came)}: {self.name} has {power} networks, {why}; name "
            f"one by {self.architecture_form}"
        )
        return NotExactError(message)
