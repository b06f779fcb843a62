"""Data files: the cache, downloads, a restricted unpickler, and other formats."""

from hwnas_env.data.files import read_file

__all__ = ["read_file"]
