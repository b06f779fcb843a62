"""Gymnasium environments over the search spaces and devices."""
