"""Devices of your own from a few measured networks: which ones, the fit, its checks."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.fitting.fit import fit_device as fit_device
    from hwnas_env.fitting.rows import MeasuredRows as MeasuredRows
    from hwnas_env.fitting.rows import read_rows as read_rows
    from hwnas_env.fitting.todo import design_of as design_of
    from hwnas_env.fitting.todo import write_todo as write_todo
    from hwnas_env.fitting.verifying import Verifier as Verifier
    from hwnas_env.fitting.verifying import verify as verify

_HOMES = {
    "MeasuredRows": "hwnas_env.fitting.rows",
    "Verifier": "hwnas_env.fitting.verifying",
    "design_of": "hwnas_env.fitting.todo",
    "fit_device": "hwnas_env.fitting.fit",
    "read_rows": "hwnas_env.fitting.rows",
    "verify": "hwnas_env.fitting.verifying",
    "write_todo": "hwnas_env.fitting.todo",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
