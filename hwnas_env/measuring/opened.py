"""The networks of a session: opened when needed, and held while there is room."""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.engines.space import SearchSpace
from hwnas_env.measuring.runners import Runner, Runtime, randomise, remove_files
from hwnas_env.networks.build import build_network, count, example
from hwnas_env.types import Genotypes

if TYPE_CHECKING:
    from torch import Tensor, nn

ANCHOR_QUANTILES = (0.1, 0.5, 0.9)
"""Quantiles of the multiply-adds at which the anchors stand."""

HELD_BYTES = 1 << 30
"""Bytes of weights that are held open at a time; what is beyond is opened anew."""


class Networks:
    """Opens networks in a runtime when they are needed, and holds so many open.

    A context manager: afterwards all are closed, and their files are gone.
    """

    def __init__(
        self,
        space: SearchSpace,
        genotypes: Genotypes,
        *,
        dataset: str,
        runtime: Runtime,
        folder: Path,
        seed: int,
    ) -> None:
        """Opens nothing yet."""
        self._space, self._dataset, self._genotypes = space, dataset, genotypes
        self._runtime, self._seed = runtime, seed
        self._folder = folder / "networks"
        self._held: OrderedDict[int, tuple[Runner, int]] = OrderedDict()
        self._bytes: dict[int, int] = {}
        self._images: Tensor | None = None

    def __enter__(self) -> "Networks":
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes all networks and removes their files."""
        self._held.clear()
        remove_files(self._folder)

    def module(self, row: int) -> "nn.Module":
        """Builds a network, always with the same weights."""
        built = build_network(
            self._space, self._genotypes[row], dataset=self._dataset, seed=self._seed
        )
        weights = sum(one.numel() for one in built.parameters())
        self._bytes[row] = 4 * weights
        return randomise(built, seed=self._seed)

    def anchors(self) -> list[int]:
        """Returns the rows at some quantiles of the multiply-adds, without repeats."""
        work = [
            count(self._space, self.module(row), dataset=self._dataset)[1]
            for row in range(len(self._genotypes))
        ]
        order = np.argsort(work, kind="stable")
        places = [round(one * (len(order) - 1)) for one in ANCHOR_QUANTILES]
        return sorted({int(order[one]) for one in places})

    def runner(self, row: int) -> Runner:
        """Returns what runs a network, opened now or earlier."""
        if row in self._held:
            self._held.move_to_end(row)
            return self._held[row][0]
        if self._images is None:
            self._images = example(self._space, dataset=self._dataset)
        file = self._folder / f"{row}.network"
        run = self._runtime.open(lambda: self.module(row), self._images, file)
        if row not in self._bytes:  # its file was there already
            self._bytes[row] = file.stat().st_size
        self._held[row] = run, self._bytes[row]
        total = sum(size for _, size in self._held.values())
        while total > HELD_BYTES and len(self._held) > 1:
            total -= self._held.popitem(last=False)[1][1]
        return run
