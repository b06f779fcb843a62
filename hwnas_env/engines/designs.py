"""What a space offers besides costs: its networks as modules, lists to measure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas_env.engines.choices import Choices
from hwnas_env.types import Genotypes


@dataclass(frozen=True)
class Blueprint:
    """Builds PyTorch modules of a space's networks on one dataset.

    Attributes:
        build: a valid genotype ``(L,)`` to a module, its weights drawn.
        side: height and width of the input in pixels; it has three channels.
        classes: outputs of the classifier.
        bias: multiply-adds that the space counts for every output's bias of the
            classifier; weights count 1 for every product.
        normalisation: the same for every number that is normalised.
        pooling: the same for every number and channel that is pooled globally.
    """

    build: Callable[[Genotypes], Any]
    side: int
    classes: int
    bias: int = 0
    normalisation: int = 0
    pooling: int = 0


@dataclass(frozen=True, eq=False)
class Design:
    """Lists networks to measure on a new device; fixed, so that lists continue.

    Attributes:
        fit: ``(60, L)`` int8: the first k are the ones to measure if k are measured.
        validation: ``(50, L)`` int8: drawn at random, for the error of the fit.
    """

    fit: Genotypes
    validation: Genotypes


def read_design(space: Choices, path: Path) -> Design:
    """Reads a room's list of networks to measure: words a network, in two lists."""
    found = json.loads(path.read_bytes())
    return Design(*(space.from_words(found[key]) for key in ("fit", "validation")))
