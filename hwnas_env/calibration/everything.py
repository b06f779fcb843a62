"""From the reference folder to every committed file, always the same bytes."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hwnas_env
from hwnas_env.calibration import fbnet, nasbench201
from hwnas_env.calibration.files import write
from hwnas_env.data.coefficients import load_coefficients
from hwnas_env.errors import DataMissingError
from hwnas_env.problems.presets import compute_presets

COEFFICIENTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "costs/nasbench201.json": nasbench201.calibrate_costs,
    "costs/fbnet.json": fbnet.calibrate_costs,
    "accuracy/fbnet.json": fbnet.calibrate_accuracy,
}
"""Coefficient files within the package, and what computes each."""

BUDGETS = "problems/budgets.json"


def calibrate_all(reference: Path) -> Iterator[Path]:
    """Computes and writes the coefficients, then the preset budgets they give.

    Args:
        reference: folder with the reference data.

    Yields:
        Each file as it is written, inside the installed package.

    Raises:
        DataMissingError: the folder does not hold the reference data.
    """
    if not (reference / "hwnasbench_nb201_cifar10.npz").is_file():
        message = f"{reference} does not hold the reference data"
        raise DataMissingError(message)
    root = Path(hwnas_env.__file__).parent
    # All are computed before any is written, so that an error leaves no mixture.
    computed = {name: compute(reference) for name, compute in COEFFICIENTS.items()}
    for name, entries in computed.items():
        write(root / name, entries)
        yield root / name
    load_coefficients.cache_clear()
    text = json.dumps(compute_presets(), indent=1, sort_keys=True)
    (root / BUDGETS).write_text(text + "\n", encoding="utf-8")
    yield root / BUDGETS
