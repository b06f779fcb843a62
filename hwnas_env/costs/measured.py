"""The measured source: columns and block tables of the imported HW-NAS-Bench."""

import numpy as np

from hwnas_env.additive import Linear, stateless
from hwnas_env.costs.columns import LayeredCosts, TableCosts
from hwnas_env.data.hwnasbench import CITATION, HWNASBench
from hwnas_env.data.official_file import SUFFIXES
from hwnas_env.devices import Device
from hwnas_env.errors import NotMeasuredError
from hwnas_env.spaces import SEARCH_SPACES, SearchSpace, fbnet
from hwnas_env.types import Provenance


def measured_costs(
    space: SearchSpace, device: Device, dataset: str, *, metric: str
) -> TableCosts | LayeredCosts:
    """Returns the measured costs of a device.

    Args:
        space: the search space.
        device: the device.
        dataset: one of the space's datasets.
        metric: the one that must be there; another whose column has holes is left out.

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
    holes = bench.holes()
    names = {}
    for own in device.metrics_in(space.name):
        name = f"{device.name}_{SUFFIXES[own]}"
        missing = holes.get(f"{space.name}/{dataset}/{name}", 0)
        if not missing:
            names[own] = name
        elif own == metric:
            what = "values" if space.name == "nasbench201" else "entries"
            message = (
                f"{space.name}, {dataset}: {missing} {what} of {name} are missing in "
                "the imported file; a column with holes is not served as measured; "
                'source="builtin" has an answer'
            )
            raise NotMeasuredError(message)
    if space.name == "fbnet":
        return _sums(bench, names, dataset)
    return _columns(bench, names, dataset)


def _columns(bench: HWNASBench, names: dict[str, str], dataset: str) -> TableCosts:
    values = {
        metric: np.asarray(bench.column(dataset, name))
        for metric, name in names.items()
    }
    deployable = np.ones(SEARCH_SPACES["nasbench201"].size, dtype=np.bool_)
    for metric, name in names.items():
        if name == "edgetpu_latency":
            deployable &= values[metric] != -1.0
    provenance = _provenance(bench, "looked up in the {} table")
    return TableCosts(values, deployable, dict.fromkeys(names, provenance))


def _sums(bench: HWNASBench, names: dict[str, str], dataset: str) -> LayeredCosts:
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
            link=Linear(floor=0.0),
        )
    provenance = _provenance(bench, "sum of {} block entries")
    return LayeredCosts(quantities, dict.fromkeys(names, provenance))


def _provenance(bench: HWNASBench, method: str) -> Provenance:
    words, citation = method.format("official"), CITATION
    if not bench.is_upstream:
        words = f"{method.format('imported')}; {bench.origin}"
        citation = f"a file other than that of {CITATION}"
    return Provenance(
        kind="measured", method=words, citation=citation, sha256=bench.sha256
    )
