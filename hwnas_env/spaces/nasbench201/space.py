"""The NAS-Bench-201 search space: what is asked of its cells, and who answers."""

import functools
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.population import Population, read_population
from hwnas_env.engines.space import Blueprint, Design, read_design
from hwnas_env.errors import InvalidGenotypeError, shown
from hwnas_env.extras import load_extra
from hwnas_env.spaces.nasbench201.facts import (
    CELLS_PER_STAGE,
    CHANNELS,
    CLASSES,
    EDGES,
    OPERATIONS,
    RESOLUTION,
    isomorphism_classes,
    official_numbers,
)
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray, Provenance

if TYPE_CHECKING:
    from hwnas_env.engines.columns import CostSource, TableAccuracy, TableCosts
    from hwnas_env.engines.terms import Terms

_TOKEN = re.compile(r"^(\w+)~(\d)$")


def official_string(choices: Sequence[int]) -> str:
    """Writes six valid choices as the official architecture string."""
    tokens = [
        f"{OPERATIONS[choice]}~{edge[0]}"
        for choice, edge in zip(choices, EDGES, strict=True)
    ]
    return "+".join(
        f"|{'|'.join(part)}|" for part in (tokens[:1], tokens[1:3], tokens[3:])
    )


class NASBench201(TableSpace):
    """Search space of the NAS-Bench-201 cell; see :class:`SearchSpace`."""

    architecture_form = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"

    def encode(self, architecture: str | Sequence[str]) -> Genotypes:
        """Reads an official string, or six operation names, into ``(6,)`` int8.

        Raises:
            InvalidGenotypeError: the string does not have the official form.
            UnknownNameError: an operation does not exist.

        Example:
            >>> from hwnas_env.spaces import SEARCH_SPACES
            >>> SEARCH_SPACES["nasbench201"].encode(
            ...     "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"
            ... ).tolist()
            [0, 3, 0, 0, 0, 1]
        """
        if isinstance(architecture, str):
            architecture = _split_official(architecture, form=self.architecture_form)
        return self.encode_names(architecture)

    def decode(self, genotype: npt.ArrayLike) -> str:
        """Writes one genotype ``(6,)`` as the official architecture string."""
        return official_string(self.validate_one(genotype).tolist())

    def numbers_of_rows(self) -> IntArray:
        """Returns the number of each row in the official order: ``(15625,)`` int64."""
        return official_numbers()

    def classes_of_numbers(self, numbers: IntArray) -> IntArray:
        """Returns the number of each network's class, 0 to 6,465: ``(N,)`` int64.

        Two cells are in one class if their outputs read as the same sum of nested
        operations, with ``none`` as zero and ``skip_connect`` as the identity. This is
        upstream's rule on strings, which counts 6,466 classes. It is finer than
        equality of functions: a zero inside a sum stays, and nested sums keep their
        order.
        """
        return isomorphism_classes()[numbers]

    def parameters(self, genotypes: npt.ArrayLike, *, dataset: str) -> IntArray:
        """Counts the trainable parameters: ``(N,)`` int64, dead edges included."""
        classes = CLASSES[self.check_dataset(dataset)]
        fixed = 3 * 9 * 16 + 2 * 16 + 2 * 64 + 64 * classes + classes
        fixed += sum(
            9 * narrow * wide + 9 * wide * wide + narrow * wide + 4 * wide
            for narrow, wide in itertools.pairwise(CHANNELS)
        )
        weights, norms = sum(c * c for c in CHANNELS), sum(2 * c for c in CHANNELS)
        return self._count(genotypes, fixed, weights, norms)

    def flops(self, genotypes: npt.ArrayLike, *, dataset: str) -> IntArray:
        """Counts the multiply-adds of one image: ``(N,)`` int64, dead edges included.

        As upstream counts them: convolutions and the classifier with its bias.
        """
        classes = CLASSES[self.check_dataset(dataset)]
        side = RESOLUTION[dataset]
        pixels = [(side >> stage) ** 2 for stage in range(3)]
        fixed = 3 * 9 * 16 * pixels[0] + 64 * classes + classes
        fixed += sum(
            (9 * narrow * wide + 9 * wide * wide + narrow * wide) * area
            for (narrow, wide), area in zip(
                itertools.pairwise(CHANNELS), pixels[1:], strict=True
            )
        )
        work = sum(c * c * area for c, area in zip(CHANNELS, pixels, strict=True))
        return self._count(genotypes, fixed, work, 0)

    def _count(
        self, genotypes: npt.ArrayLike, fixed: int, per_weight: int, per_conv: int
    ) -> IntArray:
        rows = self.validate(genotypes)
        pointwise = (rows == OPERATIONS.index("nor_conv_1x1")).sum(axis=1)
        spatial = (rows == OPERATIONS.index("nor_conv_3x3")).sum(axis=1)
        one = CELLS_PER_STAGE * (per_weight + per_conv)
        nine = CELLS_PER_STAGE * (9 * per_weight + per_conv)
        return np.asarray(fixed + one * pointwise + nine * spatial, dtype=np.int64)

    def costs(self, device: "CostSource", dataset: str) -> "TableCosts":
        """Computes the built-in costs of all cells: see :mod:`.costs`."""
        self.check_dataset(dataset)
        return super().costs(device, dataset)

    def column(self, device: "CostSource", dataset: str, metric: str) -> FloatArray:
        """Computes one metric of all cells from a device's coefficients."""
        from hwnas_env.spaces.nasbench201.costs import column  # loads tables

        return column(self, device, dataset, metric)

    def deployable(self, device: "CostSource") -> BoolArray:
        """Marks the cells that a device can run: by a rule that its file names."""
        rule = device.facts(self.name).get("cannot_run")
        if not isinstance(rule, str):
            return super().deployable(device)
        from hwnas_env.spaces.nasbench201.costs import can_run  # loads tables

        return can_run(rule)

    def measured(
        self, device: "CostSource", dataset: str, *, metric: str
    ) -> "TableCosts":
        """Returns the columns of the imported HW-NAS-Bench."""
        from hwnas_env.spaces.nasbench201.measured import measured_costs  # a reader

        dataset = self.check_dataset(dataset)
        return measured_costs(self, device, dataset, metric=metric)

    def measured_values(
        self, device: "CostSource", dataset: str, genotype: Genotypes
    ) -> tuple[dict[str, float], Provenance]:
        """Returns what the imported HW-NAS-Bench holds of one network."""
        from hwnas_env.data.formats.hwnasbench import measured_values  # a reader

        self.check_dataset(dataset)
        return measured_values(self.name, device, dataset, genotype)

    def held_columns(self, device: "CostSource", dataset: str) -> dict[str, FloatArray]:
        """Returns what the imported HW-NAS-Bench holds of a device, with holes."""
        from hwnas_env.spaces.nasbench201.measured import held_columns  # a reader

        return held_columns(self, device, self.check_dataset(dataset))

    def accuracy(self, name: str | int, dataset: str) -> "TableAccuracy":
        """Returns a measured accuracy: see :mod:`.accuracy`."""
        from hwnas_env.spaces.nasbench201.accuracy import measured_accuracy  # a reader

        return measured_accuracy(name, dataset=self.check_dataset(dataset))

    def counts(self, dataset: str) -> dict[str, FloatArray]:
        """Counts parameters and multiply-adds of all cells, in millions."""
        rows = self.genotypes()
        return {
            "parameters_m": self.parameters(rows, dataset=dataset) / 1e6,
            "flops_m": self.flops(rows, dataset=dataset) / 1e6,
        }

    def terms(self, dataset: str) -> "Terms":
        """Counts operations, all of them and the live ones: see :mod:`.terms`."""
        from hwnas_env.spaces.nasbench201.terms import cell_terms  # loads tables

        self.check_dataset(dataset)
        return cell_terms(self)

    def constant(self, genotypes: Genotypes) -> BoolArray:
        """Marks cells without a path from input to output: ``(N,)``."""
        from hwnas_env.spaces.nasbench201.terms import ignores_input  # loads tables

        return ignores_input()[self.index(genotypes)]

    @property
    def design(self) -> Design:
        """Which cells to measure on a new device."""
        return read_design(self, Path(__file__).with_name("design.json"))

    @functools.cached_property
    def population(self) -> Population:
        """What the packaged devices have in common."""
        return read_population(self, Path(__file__).with_name("population.json"))

    def network(self, dataset: str) -> Blueprint:
        """Returns what builds PyTorch modules: see :mod:`.network`."""
        load_extra("torch", extra="torch", purpose="a network")
        from hwnas_env.spaces.nasbench201.network import blueprint  # needs torch

        return blueprint(self.check_dataset(dataset))

    def draw(self, axes: Any, genotype: Sequence[int]) -> None:
        """Draws the cell as a graph of four nodes."""
        from hwnas_env.spaces.nasbench201.picture import draw_cell  # needs matplotlib

        draw_cell(axes, self, genotype)

    def describe_positions(self, genotype: Sequence[int]) -> list[str]:
        """Writes one line an edge."""
        return [
            f"  {position}  {self.choice_name(number, choice)}"
            for number, (position, choice) in enumerate(
                zip(self.positions, genotype, strict=True)
            )
        ]


SPACE = NASBench201(
    name="nasbench201",
    label="NASBench201",
    operations=OPERATIONS,
    positions=tuple(f"{a}→{b}" for a, b in EDGES),
    datasets=tuple(CLASSES),
    default_dataset="cifar10",
)
"""The search space, as a constant."""


def _split_official(architecture: str, *, form: str) -> list[str]:
    problem = InvalidGenotypeError(
        f"nasbench201: expected a string of the form {form}, got {shown(architecture)}"
    )
    nodes = [part.strip().strip("|").split("|") for part in architecture.split("+")]
    if [len(tokens) for tokens in nodes] != [1, 2, 3]:
        raise problem
    names = []
    for tokens in nodes:
        for source, token in enumerate(tokens):
            match = _TOKEN.match(token)
            if match is None or int(match[2]) != source:
                raise problem
            names.append(match[1])
    return names
