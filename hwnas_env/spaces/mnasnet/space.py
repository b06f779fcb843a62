"""The MnasNet search space: what is asked of its seven blocks, and who answers."""

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
from hwnas_env.errors import InvalidGenotypeError, shown
from hwnas_env.extras import load_extra
from hwnas_env.spaces.mnasnet.facts import STRIDES, blocks_at, count_tables
from hwnas_env.types import Genotypes, IntArray, Provenance

if TYPE_CHECKING:
    from hwnas_env.engines.additive import Additive
    from hwnas_env.engines.columns import CostSource, LayeredAccuracy, LayeredCosts
    from hwnas_env.engines.terms import Terms


class MnasNet(LayeredSpace):
    """Search space of MnasNet; see :class:`SearchSpace`."""

    architecture_form = "7 block names joined by |, such as e6_k5_l2_se"
    budgets = MappingProxyType({"tight": 0.10, "medium": 0.40, "loose": 0.80})

    def quantity(self, device: "CostSource", dataset: str, metric: str) -> "Additive":
        """Builds one metric's sums from a device's coefficients: see :mod:`.costs`."""
        from hwnas_env.spaces.mnasnet.costs import quantity  # loads the engine

        return quantity(self, device, self.check_dataset(dataset), metric)

    def measured(
        self, device: "CostSource", dataset: str, *, metric: str
    ) -> "LayeredCosts":
        """Raises: few networks were measured, so that no column is complete."""
        from hwnas_env.spaces.mnasnet.measured import refuse_columns  # a reader

        del device, metric
        self.check_dataset(dataset)
        refuse_columns(self)

    def measured_values(
        self, device: "CostSource", dataset: str, genotype: Genotypes
    ) -> tuple[dict[str, float], Provenance]:
        """Returns what the imported Accel-NASBench holds of one network."""
        from hwnas_env.spaces.mnasnet.measured import measured_values  # a reader

        self.check_dataset(dataset)
        return measured_values(device, device.metrics_in(self.name), genotype)

    def accuracy(self, name: str | int, dataset: str) -> "LayeredAccuracy":
        """Returns the fitted accuracy: see :mod:`.accuracy`."""
        from hwnas_env.spaces.mnasnet.accuracy import fitted_accuracy  # a file

        self.check_dataset(dataset)
        return fitted_accuracy(name)

    def counts(self, dataset: str) -> "dict[str, Additive]":
        """Counts parameters and multiply-adds, in millions, as sums over blocks."""
        from hwnas_env.engines.additive import stateless  # no engine at import
        from hwnas_env.engines.links import Linear

        self.check_dataset(dataset)
        fixed, blocks = count_tables()
        counts = {}
        for number, metric in enumerate(("parameters_m", "flops_m")):
            rows = [
                row[:count].astype(np.float64)
                for row, count in zip(blocks[number], self.choices_at, strict=True)
            ]
            start = float(fixed[number])
            counts[metric] = stateless(start, rows, link=Linear(unit=1e6))
        return counts

    def parameters(self, genotypes: npt.ArrayLike) -> IntArray:
        """Counts the trainable parameters: ``(N, 7)`` to ``(N,)`` int64."""
        return self._count(0, genotypes)

    def flops(self, genotypes: npt.ArrayLike) -> IntArray:
        """Counts the multiply-adds of one image: ``(N, 7)`` to ``(N,)`` int64.

        As Accel-NASBench counts them: see
        :func:`~hwnas_env.spaces.mnasnet.facts.count_tables`.
        """
        return self._count(1, genotypes)

    def _count(self, which: int, genotypes: npt.ArrayLike) -> IntArray:
        fixed, blocks = count_tables()
        chosen = blocks[which][np.arange(self.length), self.validate(genotypes)]
        return np.asarray(fixed[which] + chosen.sum(axis=1), dtype=np.int64)

    def from_lists(
        self,
        expansion: Sequence[int],
        kernel: Sequence[int],
        layers: Sequence[int],
        squeeze: Sequence[bool],
    ) -> Genotypes:
        """Reads a network as Accel-NASBench writes it, a list a feature: ``(7,)`` int8.

        Args:
            expansion: 1, 4 or 6 for each of the seven blocks.
            kernel: 3 or 5.
            layers: 1 to 3; 4 too in the sixth.
            squeeze: whether each has squeeze-and-excitation.

        Raises:
            InvalidGenotypeError: not seven values a feature.
            UnknownNameError: a block that there is not.

        Example:
            >>> best = [3, 3, 5, 3, 5, 5, 3], [1, 2, 2, 3, 3, 4, 1]
            >>> b0 = SPACE.from_lists([1, 6, 6, 6, 6, 6, 6], *best, [True] * 7)
            >>> SPACE.decode(b0).split("|")[:3]
            ['e1_k3_l1_se', 'e6_k3_l2_se', 'e6_k5_l2_se']
        """
        parts = {
            "expansion": expansion,
            "kernel": kernel,
            "layers": layers,
            "squeeze": squeeze,
        }
        for word, part in parts.items():
            listed = isinstance(part, (Sequence, np.ndarray))
            if not listed or isinstance(part, str) or len(part) != self.length:
                message = f"{word}: expected {self.length} values, got {shown(part)}"
                raise InvalidGenotypeError(message)
        for flag in squeeze:
            if not isinstance(flag, (bool, int, np.bool_, np.integer)):
                message = f"squeeze: expected True or False, got {shown(flag)}"
                raise InvalidGenotypeError(message)
        return self.encode_names(
            [
                f"e{e}_k{k}_l{n}_se" if s else f"e{e}_k{k}_l{n}"
                for e, k, n, s in zip(*parts.values(), strict=True)
            ]
        )

    def terms(self, dataset: str) -> "Terms":
        """Counts the work of blocks, and marks their features: see :mod:`.terms`."""
        from hwnas_env.spaces.mnasnet.terms import block_terms  # loads tables

        self.check_dataset(dataset)
        return block_terms(self)

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
        from hwnas_env.spaces.mnasnet.network import blueprint  # needs torch

        self.check_dataset(dataset)
        return blueprint()

    def draw(self, axes: Any, genotype: Sequence[int]) -> None:
        """Draws each block as a column of its layers: see :mod:`.picture`."""
        from hwnas_env.spaces.mnasnet.picture import draw_blocks  # needs matplotlib

        draw_blocks(axes, self, genotype)


SPACE = MnasNet(
    name="mnasnet",
    label="MnasNet",
    operations=tuple(
        tuple(block.name for block in blocks_at(position))
        for position in range(len(STRIDES))
    ),
    positions=tuple(f"block {number}" for number in range(1, 8)),
    datasets=("ImageNet",),
    default_dataset="ImageNet",
)
"""The search space, as a constant."""

EFFICIENTNET_B0 = SPACE.from_lists(
    [1, 6, 6, 6, 6, 6, 6], [3, 3, 5, 3, 5, 5, 3], [1, 2, 2, 3, 3, 4, 1], [True] * 7
)
"""The genotype of EfficientNet-B0 (Tan and Le, ICML 2019), ``(7,)`` int8, read-only."""
EFFICIENTNET_B0.setflags(write=False)
