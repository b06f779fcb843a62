"""What people read: tables of runs, environments and networks, a page on records."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.reports.page.bench_report import write_report as write_report

_HOMES = {"write_report": "hwnas_env.reports.page.bench_report"}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
