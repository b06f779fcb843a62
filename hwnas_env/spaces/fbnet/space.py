"""The FBNet search space: what is asked of its 22 layers, and who answers."""

import functools
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.forms import LayeredSpace
from hwnas_env.engines.population import Population, read_population
from hwnas_env.engines.space import Blueprint, Design, read_design
from hwnas_env.extras import load_extra
from hwnas_env.spaces.fbnet.facts import BLOCKS, SETTINGS, count_tables
from hwnas_env.types import Genotypes, IntArray, Provenance

if TYPE_CHECKING:
    from hwnas_env.engines.additive import Additive
    from hwnas_env.engines.columns import CostSource, LayeredAccuracy, LayeredCosts
    from hwnas_env.engines.terms import Terms


class FBNet(LayeredSpace):
    """Search space of FBNet; see :class:`SearchSpace`."""

    architecture_form = "22 block names joined by |"
    budgets = MappingProxyType({"tight": 0.25, "medium": 0.70, "loose": 0.95})

    def costs(self, device: "CostSource", dataset: str) -> "LayeredCosts":
        """Builds the built-in costs of a device."""
        self.check_dataset(dataset)
        return super().costs(device, dataset)

    def quantity(self, device: "CostSource", dataset: str, metric: str) -> "Additive":
        """Builds one metric's sums from a device's coefficients: see :mod:`.costs`."""
        from hwnas_env.spaces.fbnet.costs import quantity  # loads tables

        return quantity(self, device, dataset, metric)

    def measured(
        self, device: "CostSource", dataset: str, *, metric: str
    ) -> "LayeredCosts":
        """Returns sums of the imported HW-NAS-Bench's block entries."""
        from hwnas_env.spaces.fbnet.measured import measured_costs  # a reader

        dataset = self.check_dataset(dataset)
        return measured_costs(self, device, dataset, metric=metric)

    def measured_values(
        self, device: "CostSource", dataset: str, genotype: Genotypes
    ) -> tuple[dict[str, float], Provenance]:
        """Returns what the imported HW-NAS-Bench holds of one network."""
        from hwnas_env.data.formats.hwnasbench import measured_values  # a reader

        self.check_dataset(dataset)
        return measured_values(self.name, device, dataset, genotype)

    def accuracy(self, name: str | int, dataset: str) -> "LayeredAccuracy":
        """Returns the surrogate accuracy: see :mod:`.accuracy`."""
        from hwnas_env.spaces.fbnet.accuracy import surrogate_accuracy  # a file

        return surrogate_accuracy(name, dataset=self.check_dataset(dataset))

    def counts(self, dataset: str) -> "dict[str, Additive]":
        """Counts parameters and multiply-adds, in millions, as sums over layers."""
        from hwnas_env.engines.additive import stateless  # no engine at import
        from hwnas_env.engines.links import Linear

        fixed, blocks = count_tables(self.check_dataset(dataset))
        return {
            metric: stateless(float(start), entries, link=Linear(unit=1e6))
            for metric, start, entries in zip(
                ("parameters_m", "flops_m"), fixed, blocks, strict=True
            )
        }

    def terms(self, dataset: str) -> "Terms":
        """Counts the work of blocks, and blocks by shape: see :mod:`.terms`."""
        from hwnas_env.spaces.fbnet.terms import chain_terms  # loads tables

        return chain_terms(self, self.check_dataset(dataset))

    @property
    def design(self) -> Design:
        """Which networks to measure on a new device."""
        return read_design(self, Path(__file__).with_name("design.json"))

    @functools.cached_property
    def population(self) -> Population:
        """What the packaged devices have in common."""
        return read_population(self, Path(__file__).with_name("population.json"))

    def network(self, dataset: str) -> Blueprint:
        """Returns what builds PyTorch modules: see :mod:`.network`."""
        load_extra("torch", extra="torch", purpose="a network")
        from hwnas_env.spaces.fbnet.network import blueprint  # needs torch

        return blueprint(self.check_dataset(dataset))

    def draw(self, axes: Any, genotype: Sequence[int]) -> None:
        """Draws the layers as a chain in two rows, with the channels of each stage."""
        from hwnas_env.spaces.fbnet.picture import draw_chain  # needs matplotlib

        draw_chain(axes, self, genotype)

    def parameters(
        self, genotypes: npt.ArrayLike, *, dataset: str, header: int | None = None
    ) -> IntArray:
        """Counts the trainable parameters: ``(N,)`` int64.

        Args:
            genotypes: ``(N, 22)``.
            dataset: cifar100 or ImageNet.
            header: channels of the last 1x1 convolution, 1984 on ImageNet and 1504 on
                cifar100 by default. FBNet-A was published with 1504.
        """
        return self._count(0, genotypes, dataset, header)

    def flops(
        self, genotypes: npt.ArrayLike, *, dataset: str, header: int | None = None
    ) -> IntArray:
        """Counts the multiply-adds of one image: ``(N,)`` int64.

        The arguments are those of :meth:`parameters`.
        """
        return self._count(1, genotypes, dataset, header)

    def _count(
        self, which: int, genotypes: npt.ArrayLike, dataset: str, header: int | None
    ) -> IntArray:
        fixed, blocks = count_tables(self.check_dataset(dataset), header=header)
        rows = self.validate(genotypes)
        chosen = blocks[which][np.arange(self.length), rows]
        return np.asarray(fixed[which] + chosen.sum(axis=1), dtype=np.int64)


SPACE = FBNet(
    name="fbnet",
    label="FBNet",
    operations=(*(block.name for block in BLOCKS), "skip"),
    positions=tuple(f"layer {number}" for number in range(1, 23)),
    datasets=tuple(SETTINGS),
    default_dataset="ImageNet",
)
"""The search space, as a constant."""
