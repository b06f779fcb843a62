"""Data files: where they come from, how they are checked, and the cache."""
