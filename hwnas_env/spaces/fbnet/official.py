"""What HW-NAS-Bench's official file says of FBNet, checked and laid out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.data.formats.hwnasbench_file import (
    COLUMNS,
    check_cost,
    member,
    numbers,
    refuse,
)
from hwnas_env.errors import shown
from hwnas_env.spaces.fbnet.facts import (
    SETTINGS,
    SKIP,
    block_key,
    frame_keys,
    layers,
)
from hwnas_env.spaces.fbnet.space import SPACE
from hwnas_env.types import FloatArray, Genotypes

_KEY_LENGTH = 200
"""Most characters of a block's key; upstream's have up to 60."""


def official_keys(dataset: str) -> list[str]:
    """Returns the official keys that networks of a dataset use, without repeats."""
    choices = range(SKIP + 1)
    blocks = [block_key(shape, c) for shape in layers(dataset) for c in choices]
    stem, *rest = frame_keys(dataset)
    return list(dict.fromkeys([stem, *blocks, *rest]))


class OfficialBlocks:
    """The part of the official file that is of FBNet: values by block and column."""

    space = SPACE
    keys = staticmethod(official_keys)

    def arrays(self, tables: Any) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Checks the part and lays it out as arrays ``keys`` and ``values``.

        Raises:
            ForeignFileError: it is something else.
        """
        keys, values = _blocks(tables)
        return {"keys": keys, "values": values}, {}

    def holes(self, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
        """Counts the missing values of each column, by ``DATASET/COLUMN``."""
        found = {}
        rows = _rows(arrays)
        for dataset in SPACE.datasets:
            mine = [rows[key] for key in official_keys(dataset)]
            for number, name in enumerate(COLUMNS[SPACE.name]):
                missing = np.isnan(arrays["values"][mine, number])
                found[f"{dataset}/{name}"] = int(missing.sum())
        return found

    def value(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        genotype: Genotypes,
        dataset: str,
        name: str,
    ) -> float:
        """Returns one value, a sum of blocks in upstream's order; NaN where missing."""
        entries = self.table(arrays, name)
        stem, header, pooling, classifier = frame_keys(dataset)
        pairs = zip(layers(dataset), genotype, strict=True)
        blocks = [block_key(*pair) for pair in pairs]
        total = 0.0
        for key in (stem, *blocks, header, pooling, classifier):
            total += entries[key]
        return total

    def table(
        self, arrays: Mapping[str, npt.NDArray[Any]], name: str
    ) -> dict[str, float]:
        """Returns one column's entries by official key, of all datasets."""
        number = COLUMNS[SPACE.name].index(name)
        values = arrays["values"][:, number]
        return {key: float(values[row]) for key, row in _rows(arrays).items()}

    def config(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        configs: Mapping[str, Any],
        genotype: Genotypes,
        dataset: str,
    ) -> dict[str, Any]:
        """Returns a network's configuration as upstream's API does."""
        del arrays, configs  # upstream computes it from the genotype
        return {
            "dataset": dataset,
            "num_classes": SETTINGS[dataset].classes,
            "op_idx_list": genotype.tolist(),
            "arch_str": [SPACE.choice_name(p, c) for p, c in enumerate(genotype)],
        }


OFFICIAL = OfficialBlocks()
"""What reads this part of the file."""


def _rows(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
    return {str(key): row for row, key in enumerate(arrays["keys"])}


def _blocks(tables: Any) -> tuple[npt.NDArray[np.str_], FloatArray]:
    names = COLUMNS[SPACE.name]
    known = dict.fromkeys(
        key for dataset in SPACE.datasets for key in official_keys(dataset)
    )
    keys = list(known)
    first = member(tables, names[0], SPACE.name)
    for key in first if isinstance(first, dict) else ():
        if not isinstance(key, str) or len(key) > _KEY_LENGTH:
            words = f"{names[0]} has the key {shown(key)}, expected a block's name"
            refuse(f"{SPACE.name}, {words}")
        if key not in known:
            keys.append(key)
    columns = []
    for name in names:
        table = member(tables, name, SPACE.name)
        entries = [member(table, key, f"{SPACE.name}, {name}") for key in keys]
        column = numbers(entries, len(keys), f"{SPACE.name}, {name}")
        # Least squares leave rounding below 0 where upstream has 0.
        wrong = column < -1e-9 * np.nanmax(column, initial=0.0)
        if wrong.any():
            row = int(np.argmax(wrong))
            words = f"{keys[row]} is {column[row]}, expected a cost"
            refuse(f"{SPACE.name}, {name}: {words}")
        check_cost(column, f"{SPACE.name}, {name}")
        columns.append(column)
    return np.array(keys), np.stack(columns, axis=1)
