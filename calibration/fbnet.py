"""All coefficients of FBNet: columns of the devices, and the surrogate accuracy."""

from pathlib import Path

from calibration import (
    edgetpu,
    fbnet_accuracy,
    fbnet_edgegpu,
    fbnet_tables,
    fbnet_terms,
)
from calibration.files import Entry


def calibrate_costs(reference: Path) -> dict[str, Entry]:
    """Computes the costs of all devices on both datasets.

    Args:
        reference: folder with the reference data.

    Returns:
        Entries by ``dataset/device/metric``.
    """
    return {
        **fbnet_tables.calibrate(reference),
        **fbnet_terms.calibrate(reference),
        **fbnet_edgegpu.calibrate(reference),
        **edgetpu.calibrate(reference),
    }


def calibrate_accuracy(reference: Path) -> dict[str, Entry]:
    """Computes the surrogate accuracy on both datasets.

    Args:
        reference: folder with the reference data.

    Returns:
        Entries by dataset.
    """
    return fbnet_accuracy.calibrate(reference)
