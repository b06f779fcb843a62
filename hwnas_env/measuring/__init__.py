"""Measuring whole networks on the machine where one stands."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.measuring.analysis import Measurement as Measurement
    from hwnas_env.measuring.runners import RUNTIMES as RUNTIMES
    from hwnas_env.measuring.runners import Runtime as Runtime
    from hwnas_env.measuring.session import measure as measure

_HOMES = {
    "Measurement": "hwnas_env.measuring.analysis",
    "RUNTIMES": "hwnas_env.measuring.runners",
    "Runtime": "hwnas_env.measuring.runners",
    "measure": "hwnas_env.measuring.session",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
