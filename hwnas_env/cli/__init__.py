"""The command line: arguments to calls, and what came of them to the terminal."""

from hwnas_env.cli.commands import app, main

__all__ = ["app", "main"]
