"""What the whole registry promises; the test modules run it over every problem."""

import itertools
from collections.abc import Iterator

from hwnas_env.devices import DEVICES
from hwnas_env.metrics import METRICS
from hwnas_env.spaces import SEARCH_SPACES

PROBLEMS = [
    (space.name, device.name, dataset, metric)
    for space in SEARCH_SPACES.values()
    for device in DEVICES.values()
    for dataset in space.datasets
    for metric in device.metrics_in(space.name)
    if METRICS[metric].budgetable
]
"""Every space, device, dataset and budget metric."""

PAIRS = list(itertools.product(SEARCH_SPACES, DEVICES))
"""Every space and device."""


def names() -> Iterator[str]:
    """Identifies every entry of ``PROBLEMS`` for the test report."""
    return ("-".join(problem) for problem in PROBLEMS)
