"""NAS-Bench-201 costs: what is fitted on CIFAR-10, and how it moves to other datasets.

Of the other datasets two networks are published; no statistical model can be checked
beyond them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from calibration.files import Entry, entry
from calibration.nasbench201_fit import FORMS, cross_validate, fit
from calibration.nasbench201_rules import FITTED_DATASET, Published, rule_entries
from calibration.numerics import rounded
from hwnas_env.data.formats.hwnasbench import CITATION
from hwnas_env.data.formats.hwnasbench_file import SUFFIXES
from hwnas_env.devices import DEVICES
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.nasbench201 import SPACE, official_genotypes
from hwnas_env.spaces.nasbench201.costs import fitted_costs, space_cells
from hwnas_env.types import FloatArray, IntArray

FOLDS = 5
NOT_DEPLOYABLE = -1.0
SKELETON = (0, 0, 0, 1, 0, 0)
"""The cell that hands its input on: what is left is the network around the cells."""

_PHONE = (
    "sum over the operations that are left after pruning, and over degrees and paths; "
    "a network that ignores its input folds to a constant"
)
_METHODS = {
    "edgegpu": (
        "exponential of summed effects of the operations, and pairs of them, that "
        "reach the output: kernel launches more than arithmetic"
    ),
    "edgetpu": (
        "exponential of summed effects of live operations and of which reads which; "
        "a logical rule marks what does not compile"
    ),
    "raspi4": _PHONE,
    "pixel3": _PHONE,
}


def calibrate_costs(
    reference: Path, devices: Iterable[str] = tuple(FORMS)
) -> dict[str, Entry]:
    """Computes the columns of NAS-Bench-201 of every device.

    Args:
        reference: folder with ``hwnasbench_nb201_cifar10.npz``,
            ``hwnasbench_nb201_cifar100_imagenet16_derived.npz`` and
            ``hwnasbench_published_examples.json``.
        devices: those of the statistical fits to compute; exact rules always are.

    Returns:
        Entries by ``dataset/device/metric``.
    """
    with np.load(reference / "hwnasbench_nb201_cifar10.npz") as data:
        measured = {name: data[name] for name in data.files}
    with np.load(
        reference / "hwnasbench_nb201_cifar100_imagenet16_derived.npz"
    ) as data:
        derived = {name: data[name] for name in data.files}
    examples = (reference / "hwnasbench_published_examples.json").read_text("utf-8")
    published: Published = json.loads(examples)["nasbench201"]
    entries = rule_entries(measured, derived=derived, published=published)
    for device in devices:
        for metric in DEVICES[device].metrics_in("nasbench201"):
            column = f"{device}_{SUFFIXES[metric]}"
            model = _fitted(device, measured[column])
            entries[f"{FITTED_DATASET}/{device}/{metric}"] = model
            for dataset in published:
                if dataset != FITTED_DATASET:
                    key = f"{dataset}/{device}/{metric}"
                    entries[key] = _moved(key, model, published=published)
    return entries


def _fitted(device: str, costs: FloatArray) -> Entry:
    """Fits and cross-validates one measured column, NaN where it is not held."""
    form = FORMS[device]
    held = ~np.isnan(costs)
    rows = held & (costs != NOT_DEPLOYABLE)
    coefficients, method = fit(form, costs, rows=rows), _METHODS[device]
    if device == "edgetpu":
        right = 100 * (space_cells().int8_compiles == rows)[held].mean()
        coefficients["deployable_right_percent"] = round(float(right), 2)
        method += (
            f", right on {right:.2f} % of the {held.sum():,} networks that the rule "
            "was read off"
        )
    # The official order is a shuffle: remainders of the index draw at random.
    index = np.arange(len(costs))
    apart = cross_validate(form, costs, rows=rows, folds=index % FOLDS)
    together = cross_validate(form, costs, rows=rows, folds=_isomorphic() % FOLDS)
    harder = fidelity(together[rows], costs[rows], method="")
    return entry(
        "fitted",
        coefficients,
        method=method,
        citation=CITATION,
        calibrated_on=f"{rows.sum():,} measured networks, {FITTED_DATASET}",
        fidelity=fidelity(
            apart[rows],
            costs[rows],
            method=(
                f"{FOLDS}-fold cross-validation over networks, the form chosen on the "
                "same ones; with isomorphic cells in one fold tau-b "
                f"{harder.tau_b:.3f}, MAPE {harder.mape_percent:.2f} %"
            ),
        ),
    )


def _isomorphic() -> IntArray:
    """Gives each network the first official index of its class: ``(15625,)``."""
    classes = SPACE.isomorphism_class(official_genotypes())
    _, first, inverse = np.unique(
        np.asarray(classes), return_index=True, return_inverse=True
    )
    return np.asarray(first[inverse.ravel()], dtype=np.int64)


def _moved(key: str, model: Entry, *, published: Published) -> Entry:
    """Moves a CIFAR-10 model to another dataset through the published networks."""
    dataset, device, metric = key.split("/")
    column = f"{device}_{SUFFIXES[metric]}"
    old, new = (
        np.array([published[name][row][column] for row in "01"])
        for name in (FITTED_DATASET, dataset)
    )
    if device == "pixel3":
        # On CIFAR-10 both were measured while the phone ran a third faster than it
        # usually did; the estimate stands for its usual state.
        old = fitted_costs(model)[:2]
    smaller = dataset == "ImageNet16-120"
    method = f"the {FITTED_DATASET} model, scaled"
    if smaller and device in ("raspi4", "pixel3"):
        moved = _scaled_by_part(model, new / old)
        method += ", what 3x3 convolutions add by a factor of its own"
    elif smaller and device == "edgetpu":
        moved = _scaled_over_fixed(model, old, new)
        method += " but for the network around the cells"
    else:
        moved = {"scale": float(np.exp(np.log(new / old).mean()))}
    moved = {name: rounded(value, digits=5) for name, value in moved.items()}
    return entry(
        "modelled",
        {"moved": moved, "from": FITTED_DATASET},
        method=method,
        citation=CITATION,
        calibrated_on=f"the {FITTED_DATASET} model and 2 published networks, {dataset}",
        fidelity=fidelity(
            fitted_costs(model, moved=moved)[:2],
            new,
            method="the 2 published networks, which set its factors",
        ),
    )


def _scaled_by_part(model: Entry, ratio: FloatArray) -> dict[str, float]:
    """Finds the factors of the two networks: the first has no 3x3 convolution."""
    whole = fitted_costs(model)[1]
    share = 1.0 - fitted_costs(model, moved={"scale_3x3": 0.0})[1] / whole
    return {
        "scale": float(ratio[0]),
        "scale_3x3": float((ratio[1] - ratio[0] * (1.0 - share)) / share),
    }


def _scaled_over_fixed(
    model: Entry, old: FloatArray, new: FloatArray
) -> dict[str, float]:
    """Finds the factor of what the cells add, by the least relative error."""
    number = np.flatnonzero((official_genotypes() == SKELETON).all(axis=1))
    fixed = float(fitted_costs(model)[number[0]])
    added, left = (old - fixed) / new, (new - fixed) / new
    return {"fixed": fixed, "scale": float((added * left).sum() / (added**2).sum())}
