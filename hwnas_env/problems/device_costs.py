"""What networks cost on several devices at once: every metric in one batch."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.devices import Device, devices_of, get_device
from hwnas_env.engines.additive import Additive, join
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.table import TableModel
from hwnas_env.errors import (
    DataError,
    InvalidArgumentError,
    NotMeasuredError,
    shown,
)
from hwnas_env.problems.make import choose_dataset, make_problem
from hwnas_env.showing import line, some
from hwnas_env.spaces import get_space
from hwnas_env.texts import plain
from hwnas_env.types import FloatArray, Genotypes, IntArray, Provenance

_BLOCK = 16384
"""Genotypes that are looked up at a time, so that they stay in a near cache."""


@dataclass(frozen=True, eq=False)
class DeviceCosts:
    """Evaluates the metrics of several devices; immutable.

    Built by :func:`make_device_costs`.

    Attributes:
        space: the search space.
        dataset: one of its datasets.
        names: the columns, device and metric: "edgegpu_latency_ms", ...
        provenance: of every column, in that order.
        tables: ``(P, M)``, a row a cell and some that are none, or M sums over layers.
    """

    space: SearchSpace
    dataset: str
    names: tuple[str, ...]
    provenance: tuple[Provenance, ...]
    tables: FloatArray | Additive

    def __repr__(self) -> str:
        """Returns the space, the dataset and the columns."""
        words = f"{self.space.label}, {self.dataset}: {some(self.names, most=4)}"
        return line("DeviceCosts", words)

    @functools.cached_property
    def _weights(self) -> npt.NDArray[np.float32] | None:
        return _pair_weights(self.space)

    def evaluate(
        self, genotypes: npt.ArrayLike, *, out: FloatArray | None = None
    ) -> FloatArray:
        """Evaluates a batch of networks on every device.

        Args:
            genotypes: integers ``(N, L)``, or one genotype ``(L,)``; N may be 0.
            out: ``(N, M)`` float64, C-contiguous, to write into; saves the time that a
                large new array takes.

        Returns:
            ``(N, M)`` float64 in the metrics' units; inf where a network is not
            deployable on a device. It is ``out``, where that is given.

        Raises:
            InvalidGenotypeError: wrong shape, dtype or range.
            InvalidArgumentError: ``out`` has another form.
        """
        rows = self.space.validate(genotypes)
        shape = (len(rows), len(self.names))
        if out is None:
            out = np.empty(shape)
        elif (
            type(out) is not np.ndarray
            or out.shape != shape
            or out.dtype != np.float64
            or not (out.flags.c_contiguous and out.flags.writeable)
        ):
            message = f"out: expected C-contiguous float64 {shape}, got {_form(out)}"
            raise InvalidArgumentError(message)
        if isinstance(self.tables, Additive):
            return self.tables.values(rows, out=out)
        for first in range(0, len(rows), _BLOCK):
            block = slice(first, first + _BLOCK)
            numbers = _numbers(self.space, rows[block], self._weights)
            self.tables.take(numbers, axis=0, out=out[block], mode="clip")
        return out


def make_device_costs(
    space: str,
    *,
    dataset: str | None = None,
    devices: Sequence[str] | None = None,
    source: str = "builtin",
) -> DeviceCosts:
    """Makes the costs of a space on several devices, every metric a column.

    Args:
        space: a search space's name.
        dataset: by default the space's own, where all of the devices have it.
        devices: names; by default those of :func:`devices_with`.
        source: builtin, measured or auto, as for :func:`hwnas_env.make_problem`.

    Raises:
        UnknownNameError: a name that does not exist; the message names the nearest.
        DataMissingError: measured data was asked for and is not imported.
        NotMeasuredError: nobody measured that, or the imported column has holes.
        InvalidArgumentError: no device, or one twice.

    Example:
        >>> costs = make_device_costs("nasbench201", devices=["fpga", "eyeriss"])
        >>> costs.names[:2]
        ('fpga_latency_ms', 'fpga_energy_mj')
        >>> costs.evaluate([3, 3, 1, 3, 1, 3]).round(3)[0, :3].tolist()
        [6.163, 43.144, 7.578]
    """
    found = get_space(space)
    if devices is None:
        devices = devices_with(found, dataset=dataset, source=source)
    listed = isinstance(devices, Sequence) and not isinstance(devices, str)
    texts = listed and all(isinstance(device, str) for device in devices)
    chosen = [get_device(device) for device in devices] if texts else []
    if not chosen or len(set(chosen)) < len(devices):
        message = f"devices: expected distinct device names, got {shown(devices)}"
        raise InvalidArgumentError(message)
    dataset = choose_dataset(found, chosen, dataset)
    problems = [
        make_problem(space, device=device.name, dataset=dataset, source=source)
        for device in chosen
    ]
    names, provenance = [], []
    columns: list[FloatArray] = []
    sums: list[Additive] = []
    for problem in problems:
        model = problem.model
        for metric in problem.device.metrics_in(problem.space.name):
            if metric not in problem.metrics:  # a measured column with holes
                continue
            column = problem.metrics.index(metric)
            names.append(f"{problem.device.name}_{metric}")
            provenance.append(problem.provenance[metric])
            if isinstance(model, LayeredModel):
                sums.append(model.cost(column))
            else:
                assert isinstance(model, TableModel), "there are two kinds of model"
                columns.append(model.costs[:, column])
    tables: FloatArray | Additive
    if isinstance(found, TableSpace):
        tables = _rearranged(found, np.column_stack(columns))
    else:
        tables = join(sums)
    return DeviceCosts(found, dataset, tuple(names), tuple(provenance), tables)


def devices_with(
    space: SearchSpace, *, dataset: str | None = None, source: str = "builtin"
) -> list[str]:
    """Returns the names of the devices that have costs of a space, as they are now.

    Args:
        space: the search space.
        dataset: those that have costs on it; by default on the space's own, or all
            where none has.
        source: builtin, measured or auto; of measured, those that were measured, or
            all where none was.
    """
    everyone = devices_of(space.name)
    wanted = space.default_dataset if dataset is None else dataset
    having = [one for one in everyone if wanted in one.datasets_in(space.name)]
    having = [one for one in having if _is_whole(space, one, wanted)]
    if having and source == "measured":
        having = [one for one in having if _is_measured(space, one, wanted)] or having
    return [device.name for device in having or everyone]


def _is_whole(space: SearchSpace, device: Device, dataset: str) -> bool:
    """Whether a device's costs can be built; warns of a damaged one."""
    if not device.sha256:  # one of the package, or of this process
        return True
    try:
        make_problem(space.name, device=device.name, dataset=dataset)
    except DataError as error:
        warnings.warn(plain(f"{device.label} is left out: {error}"), stacklevel=4)
        return False
    return True


def _is_measured(space: SearchSpace, device: Device, dataset: str) -> bool:
    try:
        make_problem(space.name, device=device.name, dataset=dataset, source="measured")
    except NotMeasuredError:
        return False
    return True


def _pair_weights(space: SearchSpace) -> npt.NDArray[np.float32] | None:
    """Returns what pairs of positions are weighted by, None where there are none."""
    pairs = space.length // 2
    if space.length % 2 or space.choices**pairs > 256:
        return None
    return (space.choices ** np.arange(pairs)).astype(np.float32)


def _numbers(
    space: SearchSpace, genotypes: Genotypes, weights: npt.NDArray[np.float32] | None
) -> IntArray:
    """Numbers genotypes ``(N, L)``, C-contiguous, in less time than in base K.

    Two neighbouring positions are read as one 16-bit number a + 256 b. The sum of these
    with weights 1, K, K^2, ... is A + 256 B with A and B in base K: no two networks
    share one where A and B are below 256, and it is exact in float32.
    """
    if weights is None:
        return np.asarray(space.keys(genotypes))
    read = genotypes.view("<u2").astype(np.float32)
    # by way of 32 bits: the processor has no quick way from float32 to 64
    return np.asarray((read @ weights).astype(np.int32).astype(np.int64))


def _rearranged(space: TableSpace, columns: FloatArray) -> FloatArray:
    """Puts rows in lexicographic order where :func:`_numbers` looks for them."""
    numbers = _numbers(space, space.all_genotypes, _pair_weights(space))
    table = np.full((numbers.max() + 1, columns.shape[1]), np.nan)
    table[numbers] = columns
    return table


def _form(array: Any) -> str:
    if not isinstance(array, np.ndarray):
        return type(array).__name__
    return f"{array.dtype} {array.shape}"
