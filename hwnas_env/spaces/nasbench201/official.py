"""What HW-NAS-Bench's official file says of NAS-Bench-201, checked and laid out."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.data.formats.hwnasbench_file import (
    COLUMNS,
    MARK,
    MARKED,
    check_cost,
    member,
    numbers,
    refuse,
)
from hwnas_env.errors import shown
from hwnas_env.spaces.nasbench201.space import SPACE, official_string
from hwnas_env.types import FloatArray, Genotypes

_ROWS = SPACE.size

MOST_KEYS = 20
"""Most keys of a configuration; the official ones have five."""

LONGEST_TEXT = 200
"""Most letters of a key or a text in a configuration, besides the architecture."""

MOST_VARIANTS = 1000
"""Most configurations of a dataset that differ; of the official ones it is one."""


class OfficialCells:
    """The part of the official file that is of NAS-Bench-201; columns by dataset."""

    space = SPACE

    def arrays(self, tables: Any) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Checks the part and lays it out as arrays.

        Args:
            tables: the part. Columns may be lists, arrays or dictionaries by row, and
                ``config`` a list or a dictionary; rows count from 0.

        Returns:
            Arrays ``DATASET/COLUMN`` ``(15625,)`` float64 and ``DATASET/config``
            int16; and for each dataset what configurations say beside the
            architecture, each variant once, numbered by the config array.

        Raises:
            ForeignFileError: it is something else.
        """
        official = [official_string(row) for row in SPACE.genotypes().tolist()]
        arrays: dict[str, npt.NDArray[Any]] = {}
        configs = {}
        for dataset in SPACE.datasets:
            table = member(tables, dataset, SPACE.name)
            for name in COLUMNS[SPACE.name]:
                where = f"{SPACE.name}, {dataset}, {name}"
                values = member(table, name, f"{SPACE.name}, {dataset}")
                arrays[f"{dataset}/{name}"] = _column(values, name, where)
            rows = member(table, "config", dataset)
            where = f"{SPACE.name}, {dataset}, config"
            variants, which = _configs(rows, official, where)
            configs[dataset], arrays[f"{dataset}/config"] = variants, which
        return arrays, configs

    def holes(self, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
        """Counts the missing values of each column, by ``DATASET/COLUMN``."""
        return {
            f"{dataset}/{name}": int(np.isnan(arrays[f"{dataset}/{name}"]).sum())
            for dataset in SPACE.datasets
            for name in COLUMNS[SPACE.name]
        }

    def value(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        genotype: Genotypes,
        dataset: str,
        name: str,
    ) -> float:
        """Returns one value: inf where not deployable, NaN where it is missing."""
        value = float(arrays[f"{dataset}/{name}"][SPACE.index(genotype)[0]])
        return math.inf if (name, value) == (MARKED, MARK) else value

    def config(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        configs: Mapping[str, Any],
        genotype: Genotypes,
        dataset: str,
    ) -> dict[str, Any]:
        """Returns a network's configuration as upstream's API does."""
        row = int(SPACE.index(genotype)[0])
        variant = configs[dataset][int(arrays[f"{dataset}/config"][row])]
        return {
            key: SPACE.decode(genotype) if key == "arch_str" else value
            for key, value in variant.items()
        }


OFFICIAL = OfficialCells()
"""What reads this part of the file."""


def _column(values: Any, name: str, where: str) -> FloatArray:
    column = numbers(_by_row(values, where), _ROWS, where)
    mark = MARK if name == MARKED else np.nan  # did not compile
    wrong = (column < 0) & (column != mark)
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"{where}: row {row} is {column[row]}, expected a cost")
    check_cost(column, where)
    return column


def _by_row(rows: Any, where: str) -> Any:
    """Lays a dictionary by row number, as int or text, out as a list."""
    if not isinstance(rows, dict):
        return rows
    for keys in (range(_ROWS), [str(row) for row in range(_ROWS)]):
        if rows.keys() == set(keys):
            return [rows[key] for key in keys]
    words = f"a dictionary of {len(rows)} keys from {shown(next(iter(rows), None))}"
    return refuse(f"{where}: {words}, expected the rows 0 to {_ROWS - 1}")


def _is_short(value: Any) -> bool:
    """Whether a key or a value of a configuration is a number or a short text."""
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    return value is None or isinstance(value, (int, float))


def _configs(
    rows: Any, official: list[str], where: str
) -> tuple[list[dict[str, Any]], npt.NDArray[np.int16]]:
    """Checks the order of rows and keeps what else configurations say, once each."""
    rows = _by_row(rows, where)
    if not isinstance(rows, (list, tuple)) or len(rows) != len(official):
        refuse(f"{where}: expected {len(official)} configurations")
    variants: dict[str, int] = {}
    which = np.empty(len(official), dtype=np.int16)
    for row, (config, name) in enumerate(zip(rows, official, strict=True)):
        got = config.get("arch_str") if isinstance(config, dict) else config
        if not isinstance(config, dict) or not isinstance(got, str) or got != name:
            refuse(f"{where}: row {row} is {shown(got)}, expected {name!r}")
        plain = {**config, "arch_str": None}
        named = all(isinstance(key, str) for key in plain)
        short = all(map(_is_short, (*plain, *plain.values())))
        if not (named and short and len(plain) <= MOST_KEYS):
            refuse(f"{where}: row {row} holds more than plain values")
        key = json.dumps(plain)
        which[row] = variants.setdefault(key, len(variants))
        if len(variants) > MOST_VARIANTS:
            refuse(f"{where}: more than {MOST_VARIANTS} configurations that differ")
    return [json.loads(key) for key in variants], which
