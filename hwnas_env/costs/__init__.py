"""Hardware costs: measured tables, fitted coefficients and models."""
