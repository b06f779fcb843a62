"""Calibration: from reference data to the committed coefficients of costs/, accuracy/.

Only calibration reads the reference folder; the package runs without it.
"""
