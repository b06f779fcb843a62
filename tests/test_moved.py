"""What version 0.1 had elsewhere works for one release, and warns with where to."""

import importlib
import json
import subprocess
import sys

import pytest

from hwnas_env.moved import MOVED, RENAMED

HOLDS = {
    "accuracy.columns": ("parse_accuracy", "TableAccuracy"),
    "accuracy.noise": ("Noise",),
    "accuracy.user": ("function_accuracy",),
    "additive": ("Additive", "Linear", "Saturating", "stateless"),
    "costs.builtin": ("builtin_costs",),
    "costs.cells": ("analyse",),
    "costs.columns": ("TableCosts", "LayeredCosts"),
    "costs.fbnet": ("layered_costs",),
    "costs.fbnet_edgetpu": ("edgetpu_latency", "Operation"),
    "costs.fbnet_terms": ("block_terms",),
    "costs.measured": ("measured_costs",),
    "costs.nasbench201": ("table_costs", "fitted_costs"),
    "data.hwnasbench": ("HWNASBench", "import_pickle"),
    "data.nasbench201_runs": ("load_runs",),
    "elementary": ("exp",),
    "indicators": ("non_dominated",),
    "envs.setting": ("Setting",),
    "problems.catalog": ("make_problem", "load_presets"),
    "problems.layered": ("LayeredModel",),
    "problems.model": ("Optimum",),
    "problems.tabular": ("TableModel",),
    "problems.walk": ("LayeredWalk", "Tree"),
    "scalarise": ("REWARDS",),
    "spaces.space": ("SearchSpace",),
    "statistics": ("fidelity",),
}


def test_old_modules_are_found_and_warn() -> None:
    code = (
        "import importlib, json, sys, warnings\n"
        "found = {}\n"
        "for name, words in json.loads(sys.argv[1]).items():\n"
        "    with warnings.catch_warnings(record=True) as caught:\n"
        "        warnings.simplefilter('always')\n"
        "        module = importlib.import_module('hwnas_env.' + name)\n"
        "        found[name] = [str(one.message) for one in caught]\n"
        "    for word in words:\n"
        "        getattr(module, word)\n"
        "print(json.dumps(found))"
    )
    every = {name: HOLDS.get(name, ()) for name, homes in MOVED.items() if homes}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(every)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name, words in json.loads(done.stdout).items():
        homes = " and ".join(f"hwnas_env.{home}" for home in MOVED[name])
        assert f"hwnas_env.{name} has moved to {homes}; its old name goes with 0.3" in (
            words
        ), name


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module, names in RENAMED.items()
        for name in names
        if module not in MOVED
    ],
)
def test_old_names_are_found_and_warn(module: str, name: str) -> None:
    found = importlib.import_module(f"hwnas_env.{module}")
    home, _, today = RENAMED[module][name].partition(":")
    there = getattr(importlib.import_module(f"hwnas_env.{home}"), today)
    with pytest.warns(DeprecationWarning, match=f"{name} is hwnas_env.{home}.{today}"):
        assert getattr(found, name) is there
    with pytest.raises(AttributeError, match="has no attribute 'NOTHING'"):
        found.NOTHING  # noqa: B018  the look-up is what is tested


def test_what_there_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("hwnas_env.nothing")
    with pytest.raises(ImportError):
        importlib.import_module("hwnas_env.costs.nothing")
