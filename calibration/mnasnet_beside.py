"""Prints a MnasNet's prediction beside its nearest measured networks.

    python -m calibration.mnasnet_beside REFERENCE [ARCHITECTURE]

EfficientNet-B0's, by default.
"""

import sys
from pathlib import Path

import numpy as np

from calibration.mnasnet import COLUMNS, read
from hwnas_env.devices import DEVICES
from hwnas_env.spaces.mnasnet import EFFICIENTNET_B0, SPACE
from hwnas_env.types import FloatArray, Genotypes

NEAREST = 5


def predicted(rows: Genotypes) -> dict[str, FloatArray]:
    """Returns the built-in numbers of networks, by the reference data's columns."""
    found = {"val_top1": SPACE.accuracy("mean", "ImageNet").score}
    for key, column in COLUMNS.items():
        device, metric = key.split("/")
        found[column.measured] = SPACE.quantity(DEVICES[device], "ImageNet", metric)
    return {
        name: 1000.0 / values if name.startswith("throughput") else values
        for name, quantity in found.items()
        if quantity is not None
        for values in [quantity.values(rows)[:, 0]]
    }


def table(reference: Path, genotype: Genotypes) -> str:
    """Writes a network's prediction beside its nearest measured networks."""
    rows, measured = read(reference)
    differing = (rows != genotype).sum(axis=1)
    near = np.argsort(differing, kind="stable")[:NEAREST]
    own, others = predicted(genotype[None]), predicted(rows[near])
    lines = [SPACE.decode(genotype), ""]
    for number, row in enumerate(near, start=1):
        name = SPACE.decode(rows[row])
        lines.append(f"{number}: {differing[row]} blocks away, {name}")
    numbers = "".join(f"{number:>18}" for number in range(1, NEAREST + 1))
    lines += ["", f"{'':18}{'predicted':>10}{numbers}"]
    for name, value in own.items():
        cells = [
            f"{measured[name][row]:9.2f} ({others[name][n]:.2f})"
            for n, row in enumerate(near)
        ]
        ends = "".join(f"{cell:>18}" for cell in cells)
        lines.append(f"{name:18}{value[0]:10.2f}{ends}")
    lines += ["", "behind each measured number, in brackets, what is predicted of it"]
    return "\n".join(lines)


if __name__ == "__main__":
    chosen = SPACE.encode(sys.argv[2]) if len(sys.argv) > 2 else EFFICIENTNET_B0
    sys.stdout.write(f"{table(Path(sys.argv[1]), chosen)}\n")
