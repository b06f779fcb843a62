"""A made-up file of HW-NAS-Bench's structure, for tests without the real one."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.data.formats.hwnasbench_file import COLUMNS
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.fbnet import SETTINGS
from hwnas_env.spaces.fbnet.official import official_keys
from hwnas_env.spaces.nasbench201.space import official_string

CELLS = SEARCH_SPACES["nasbench201"]


def official(*, lists: bool = False, config: str = "list") -> dict[str, Any]:
    """Builds random costs in the official structure; the same on every call."""
    rng = np.random.default_rng(5)
    names = [official_string(row) for row in CELLS.genotypes().tolist()]
    tables: dict[str, Any] = {}
    for dataset, classes in (
        ("cifar10", 10),
        ("cifar100", 100),
        ("ImageNet16-120", 120),
    ):
        table: dict[str, Any] = {}
        for column in COLUMNS["nasbench201"]:
            values = rng.uniform(0.5, 50.0, CELLS.size)
            if column == "edgetpu_latency":
                values[rng.random(CELLS.size) < 0.3] = -1.0
            table[column] = values.tolist() if lists else values
        rows = [
            {
                "name": "infer.tiny",
                "C": 16,
                "N": 5,
                "arch_str": n,
                "num_classes": classes,
            }
            for n in names
        ]
        table["config"] = rows if config == "list" else dict(enumerate(rows))
        tables[dataset] = table
    keys = dict.fromkeys(key for dataset in SETTINGS for key in official_keys(dataset))
    blocks = {
        column: {key: float(rng.uniform(0.1, 3.0)) for key in keys}
        for column in COLUMNS["fbnet"]
    }
    return {"nasbench201": tables, "fbnet": blocks}


def write(path: Path, content: Any, *, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path
