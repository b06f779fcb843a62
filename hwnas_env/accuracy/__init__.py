"""Accuracies: measured runs of NAS-Bench-201, a surrogate for FBNet, a user's own."""
