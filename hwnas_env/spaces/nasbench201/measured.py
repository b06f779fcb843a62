"""The measured source: columns of the imported HW-NAS-Bench."""

import numpy as np

from hwnas_env.data.formats.hwnasbench import measured_columns
from hwnas_env.data.formats.hwnasbench_file import MARK, MARKED
from hwnas_env.engines.columns import CostSource, TableCosts
from hwnas_env.engines.forms import TableSpace


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
