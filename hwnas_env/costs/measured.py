"""The measured source: columns and block tables of the imported HW-NAS-Bench."""

import numpy as np

from hwnas_env.additive import Linear, stateless
from hwnas_env.costs.columns import LayeredCosts, TableCosts
from hwnas_env.data.hwnasbench import CITATION, SUFFIXES, HWNASBench
from hwnas_env.devices import Device
from hwnas_env.errors import NotMeasuredError
from hwnas_env.spaces import SearchSpace, fbnet
from hwnas_env.types import Provenance


def measured_costs(
    space: SearchSpace, device: Device, dataset: str
) -> TableCosts | LayeredCosts:
    """Returns the measured costs of a device.

    Raises:
        DataMissingError: nothing is imported; names the command.
        NotMeasuredError: upstream has no such column, or the imported file's has holes.
    """
    if (space.name, device.name) == ("fbnet", "edgetpu"):
        message = (
            "fbnet was never measured on the edgetpu: sums of blocks do not track that "
            'device; source="builtin" has a modelled cost'
        )
        raise NotMeasuredError(message)
    bench = HWNASBench.open()
    metrics = device.metrics_in(space.name)
    provenance = {
        metric: Provenance(
            kind="measured",
            method="looked up in the official table"
            if space.name == "nasbench201"
            else "sum of official block entries",
            citation=CITATION,
            sha256=bench.sha256,
        )
        for metric in metrics
    }
    names = {metric: f"{device.name}_{SUFFIXES[metric]}" for metric in metrics}
    if space.name == "fbnet":
        keys = fbnet.frame_keys(dataset)
        quantities = {}
        for metric, name in names.items():
            table = bench.block_column(dataset, name)
            blocks = [
                [table[fbnet.block_key(layer, c)] for c in range(fbnet.SKIP + 1)]
                for layer in fbnet.layers(dataset)
            ]
            quantities[metric] = stateless(
                table[keys[0]],
                np.array(blocks),
                tail=[table[key] for key in keys[1:]],
                link=Linear(),
            )
        return LayeredCosts(quantities, provenance)
    values = {}
    deployable = np.ones(space.size, dtype=np.bool_)
    for metric, name in names.items():
        column = bench.column(dataset, name)
        missing = int(np.isnan(column).sum())
        if missing:
            message = (
                f"nasbench201, {dataset}: {missing} of {len(column)} values of {name} "
                "are missing in the imported file; a column with holes is not served "
                'as measured; source="builtin" has an answer'
            )
            raise NotMeasuredError(message)
        if device.name == "edgetpu":
            deployable &= column != -1.0
        values[metric] = np.asarray(column, dtype=np.float64)
    return TableCosts(values, deployable, provenance)
