"""Surrogate accuracy of FBNet: nobody has published more than a handful of networks.

Accuracy in percent is ``top - (top - empty) * exp(-score)``. ``top`` is what no network
reaches and ``empty`` the accuracy of 22 skips. The score adds up over layers: a total,
times the weight of the layer's position, times the worth of its block (1 for k5_e6, 0
for skip). So optima and fronts are exact.
"""

import dataclasses
import functools
import importlib.resources
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.arguments import check_name
from hwnas_env.data.provenance import stated_provenance
from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import LayeredAccuracy
from hwnas_env.engines.links import Saturating
from hwnas_env.engines.noise import Noise
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.maths.elementary import exp, ordered_sum
from hwnas_env.spaces.fbnet.facts import BLOCKS, SETTINGS, SKIP, STAGE_LAYERS
from hwnas_env.types import FloatArray

_NOISY = re.compile(r"noisy-(0|[1-9][0-9]{0,17})")

# Worth of a g2 block over its ungrouped twin. Assumed: about the effect of half the
# parameters; nothing published isolates it.
GROUP_FACTOR = 0.88


def surrogate_accuracy(accuracy: str | int, *, dataset: str) -> LayeredAccuracy:
    """Returns the surrogate; its provenance says how uncertain it is.

    Args:
        accuracy: "mean"; or "noisy-7" for a noisy objective: normal noise of the
            stated uncertainty, a function of genotype and seed, here 7.
        dataset: cifar100 or ImageNet.

    Raises:
        InvalidArgumentError: another accuracy is asked for.
        UnknownNameError: there is no such dataset.
    """
    check_name(dataset, SETTINGS, what="dataset of fbnet")
    noisy = _NOISY.fullmatch(accuracy) if isinstance(accuracy, str) else None
    if noisy is None and (not isinstance(accuracy, str) or accuracy != "mean"):
        message = (
            f"accuracy: expected 'mean' or 'noisy-SEED', got {shown(accuracy)}; "
            "fbnet's accuracy is a surrogate: one value a network, no runs; your own "
            "function or table (22, 9) can take its place"
        )
        raise InvalidArgumentError(message)
    entry = coefficients()[dataset]
    provenance = stated_provenance(entry)
    noise = None
    if noisy is not None:
        noise = Noise(entry["sigma_points"], int(noisy[1]), SKIP)
        method = f"{provenance.method}; with normal noise of that size"
        provenance = dataclasses.replace(provenance, method=method)
    return LayeredAccuracy(
        f"surrogate-{dataset}-{accuracy}", score(entry), None, provenance, noise
    )


@functools.cache
def coefficients() -> dict[str, Any]:
    """Returns the committed coefficients by dataset, each with its provenance."""
    file = importlib.resources.files(__package__) / "accuracy.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def score(entry: Mapping[str, float]) -> Additive:
    """Builds the score, whose link gives percent, from coefficients.

    Args:
        entry: ``top_percent``, ``empty_percent``, ``total_score`` and what
            :func:`worths` and :func:`positions` need.
    """
    top, empty = entry["top_percent"], entry["empty_percent"]
    entries = entry["total_score"] * positions(entry)[:, None] * worths(entry)
    return stateless(0.0, entries, link=Saturating(ceiling=top, span=top - empty))


def worths(entry: Mapping[str, float]) -> FloatArray:
    """Returns the worth of the nine choices: ``(9,)``, 1 for k5_e6 and 0 for skip.

    Args:
        entry: ``worth_k3_e1`` and ``worth_k3_e3``, and ``kernel_gain``: at equal
            expansion kernel 5 is worth 1 + kernel_gain times kernel 3.
    """
    gain = 1.0 + entry["kernel_gain"]
    kernel3 = {1: entry["worth_k3_e1"], 3: entry["worth_k3_e3"], 6: 1.0 / gain}
    return np.array(
        [
            kernel3[block.expansion]
            * (gain if block.kernel == 5 else 1.0)
            * (GROUP_FACTOR if block.groups == 2 else 1.0)
            for block in BLOCKS
        ]
        + [0.0]
    )


def positions(entry: Mapping[str, float]) -> FloatArray:
    """Returns the weights of the 22 layers, which add up to 1.

    Args:
        entry: ``decay`` from the first layer to the last, as an exponent, and
            ``first_of_stage``, the factor of layers that begin a stage.
    """
    layers = sum(STAGE_LAYERS)
    first = np.cumsum((0, *STAGE_LAYERS[:-1]))
    weights: FloatArray = exp(-entry["decay"] * np.arange(layers) / (layers - 1))
    weights[first] *= entry["first_of_stage"]
    return np.asarray(weights / ordered_sum(weights))
