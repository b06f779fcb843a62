"""The measured source: columns of the imported HW-NAS-Bench."""

import numpy as np

from hwnas_env.data.formats.hwnasbench import HWNASBench, measured_columns
from hwnas_env.data.formats.hwnasbench_file import MARK, MARKED, column_of
from hwnas_env.engines.columns import CostSource, TableCosts
from hwnas_env.engines.forms import TableSpace
from hwnas_env.types import FloatArray


def measured_costs(
    space: TableSpace, device: CostSource, dataset: str, *, metric: str
) -> TableCosts:
    """Returns the measured costs of a device; see :meth:`SearchSpace.measured`."""
    bench, names = measured_columns(
        space.name, device, dataset, metric=metric, what="values"
    )
    values = {m: np.asarray(bench.column(dataset, n)) for m, n in names.items()}
    deployable = np.ones(space.size, dtype=np.bool_)
    for own, name in names.items():
        if name == MARKED:
            deployable &= values[own] != MARK
    provenance = bench.provenance("looked up in the {} table")
    return TableCosts(values, deployable, dict.fromkeys(names, provenance))


def held_columns(
    space: TableSpace, device: CostSource, dataset: str
) -> dict[str, FloatArray]:
    """Returns a device's columns as far as the imported file holds them, by metric.

    See :meth:`SearchSpace.held_columns`.
    """
    bench = HWNASBench.open()
    found = {}
    for metric in device.metrics_in(space.name):
        name = column_of(space.name, device.name, metric)
        if name is not None:
            column = np.array(bench.column(dataset, name))
            if name == MARKED:
                column[column == MARK] = np.inf
            found[metric] = column
    return found
