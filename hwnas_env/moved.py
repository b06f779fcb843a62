"""What version 0.1 had elsewhere: old names work for one release, and warn."""

import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED: dict[str, tuple[str, ...]] = {
    "accuracy": (),
    "accuracy.columns": ("engines.columns", "spaces.nasbench201.accuracy"),
    "accuracy.fbnet": ("spaces.fbnet.accuracy",),
    "accuracy.nasbench201": ("spaces.nasbench201.accuracy",),
    "accuracy.noise": ("engines.noise",),
    "accuracy.user": ("problems.own_accuracy",),
    "additive": ("engines.additive", "engines.links"),
    "bench_cli": ("cli.bench",),
    "costs": (),
    "costs.builtin": ("problems.old_names",),
    "costs.cell_features": ("spaces.nasbench201.cell_features",),
    "costs.cells": ("spaces.nasbench201.cells",),
    "costs.columns": ("engines.columns",),
    "costs.fbnet": ("spaces.fbnet.costs", "spaces.fbnet.old_names"),
    "costs.fbnet_edgetpu": ("spaces.fbnet.operations",),
    "costs.fbnet_terms": ("spaces.fbnet.terms",),
    "costs.measured": ("problems.old_names",),
    "costs.nasbench201": ("spaces.nasbench201.costs", "spaces.nasbench201.old_names"),
    "data.accuracy_files": ("data.formats.tables", "spaces.nasbench201.runs"),
    "data.hwnasbench": ("data.formats.hwnasbench",),
    "data.nasbench201_runs": ("spaces.nasbench201.runs", "spaces.nasbench201.imports"),
    "data.official_file": ("data.formats.hwnasbench_file",),
    "elementary": ("maths.elementary",),
    "envs.outcome": ("envs.query_columns",),
    "envs.pages": ("envs.prefix_table",),
    "envs.setting": ("envs.config",),
    "indicators": ("maths.indicators",),
    "problems.catalog": ("problems.make", "problems.old_names"),
    "problems.layered": ("engines.layered",),
    "problems.model": ("engines.model",),
    "problems.tabular": ("engines.table",),
    "problems.walk": ("engines.walk", "engines.prefix_tree"),
    "rank_tests": ("maths.rank_tests",),
    "reports.analysis": ("reports.terminal.analysis",),
    "reports.bench_report": ("reports.page.bench_report",),
    "reports.canvas": ("reports.page.canvas",),
    "reports.estimates": ("reports.page.estimates",),
    "reports.front_figures": ("reports.page.front_figures",),
    "reports.merging": ("reports.page.merging",),
    "reports.methods": ("reports.page.methods",),
    "reports.reproduction": ("reports.terminal.reproduction",),
    "reports.sheets": ("reports.page.sheets",),
    "reports.study": ("reports.page.study",),
    "reports.study_figures": (
        "reports.page.study_figures",
        "reports.page.matrix_figures",
    ),
    "reports.study_page": ("reports.page.study_page", "reports.page.page"),
    "reports.study_sheets": ("reports.page.study_sheets",),
    "reports.suites": ("reports.terminal.suites",),
    "reports.tables": ("reports.terminal.tables",),
    "reports.verdicts": ("reports.terminal.verdicts",),
    "resampling": ("maths.resampling",),
    "scalarise": ("maths.scalarise",),
    "spaces.space": ("engines.space",),
    "statistics": ("maths.statistics",),
}
"""Where the names of each old module are now, by their place within the package."""

RENAMED: dict[str, dict[str, str]] = {
    "agents": {
        "NASBENCH201_EVOLUTION": "benchmark.protocols:NASBENCH201_EVOLUTION",
        "NASBENCH201_REINFORCE": "benchmark.protocols:NASBENCH201_REINFORCE",
    },
    "agents.evolution": {
        "NASBENCH201_EVOLUTION": "benchmark.protocols:NASBENCH201_EVOLUTION"
    },
    "agents.reinforce": {
        "NASBENCH201_REINFORCE": "benchmark.protocols:NASBENCH201_REINFORCE"
    },
    "costs.fbnet_edgetpu": {"edgetpu_latency": "spaces.fbnet.operations:chain_latency"},
    "envs.outcome": {"Outcome": "envs.query_columns:QueryColumns"},
    "envs.pages": {
        "Pages": "envs.prefix_table:PrefixTable",
        "make_pages": "envs.prefix_table:make_prefix_table",
    },
    "envs.setting": {"Setting": "envs.config:EnvConfig"},
    "problems.walk": {"Tree": "engines.prefix_tree:PrefixTree"},
    "spaces.nasbench201": {
        "all_genotypes": "spaces.nasbench201.old_names:all_genotypes",
        "lexicographic": "spaces.nasbench201.old_names:lexicographic",
        "official_index": "spaces.nasbench201.old_names:official_index",
    },
    "benchmark.fronts": {
        "FrontRun": "benchmark.runs:Run",
        "front_run": "benchmark.runs:run_once",
    },
    "benchmark.loading": {"Result": "benchmark.runs:Run"},
    "benchmark.runner": {"recorded": "benchmark.runner:load_or_run"},
    "benchmark.transfer": {"transfer_run": "benchmark.runs:run_once"},
}
"""What single names are called now, by the module that they were in."""

_PACKAGE = "hwnas_env."


def renamed(module: str) -> Callable[[str], Any]:
    """Returns a module's ``__getattr__``, which finds the names that left it.

    Args:
        module: its ``__name__``.
    """
    names = RENAMED[module.removeprefix(_PACKAGE)]

    def find(name: str) -> Any:
        if name not in names:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message)
        home, _, today = names[name].partition(":")
        message = f"{module}.{name} is {_PACKAGE}{home}.{today} now; gone with 0.3"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(_PACKAGE + home), today)

    return find


class _Old:
    """Finds the old names, and makes modules that look their names up elsewhere."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Returns a specification for an old name, None for any other."""
        del path, target
        old = fullname.removeprefix(_PACKAGE)
        if not fullname.startswith(_PACKAGE) or old not in MOVED:
            return None
        loader: Any = self
        return ModuleSpec(fullname, loader, is_package=not MOVED[old])

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Makes an empty module whose missing names are looked up when asked for."""
        homes = MOVED[spec.name.removeprefix(_PACKAGE)]
        module = ModuleType(spec.name)
        if not homes:
            return module
        new = " and ".join(_PACKAGE + home for home in homes)
        message = f"{spec.name} has moved to {new}; its old name goes with 0.3"
        warnings.warn(message, DeprecationWarning, stacklevel=2)

        old = RENAMED.get(spec.name.removeprefix(_PACKAGE), {})

        def find(name: str) -> Any:
            if name in old:
                place, _, today = old[name].partition(":")
                return getattr(importlib.import_module(_PACKAGE + place), today)
            for home in homes:
                found = importlib.import_module(_PACKAGE + home)
                if hasattr(found, name):
                    return getattr(found, name)
            words = f"{spec.name} has moved to {new}, which has no {name!r}"
            raise AttributeError(words)

        module.__getattr__ = find  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing: the names are elsewhere."""


def install() -> None:
    """Makes the old names importable."""
    if not any(isinstance(finder, _Old) for finder in sys.meta_path):
        sys.meta_path.append(_Old())
