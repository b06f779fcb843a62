"""The measured source: sums of the imported HW-NAS-Bench's block entries."""

import numpy as np

from hwnas_env.data.formats.hwnasbench import measured_columns
from hwnas_env.engines.additive import stateless
from hwnas_env.engines.columns import CostSource, LayeredCosts
from hwnas_env.engines.links import Linear
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces.fbnet.facts import SKIP, block_key, frame_keys, layers


def measured_costs(
    space: SearchSpace, device: CostSource, dataset: str, *, metric: str
) -> LayeredCosts:
    """Returns the measured costs of a device; see :meth:`SearchSpace.measured`."""
    bench, names = measured_columns(
        space.name, device, dataset, metric=metric, what="entries"
    )
    keys = frame_keys(dataset)
    quantities = {}
    for own, name in names.items():
        table = bench.block_column(dataset, name)
        blocks = [
            [table[block_key(layer, c)] for c in range(SKIP + 1)]
            for layer in layers(dataset)
        ]
        quantities[own] = stateless(
            table[keys[0]],
            np.array(blocks),
            tail=[table[key] for key in keys[1:]],
            link=Linear(floor=0.0),
        )
    provenance = bench.provenance("sum of {} block entries")
    return LayeredCosts(quantities, dict.fromkeys(names, provenance))
