"""Runs agents on problems under one ledger each, and records what happened."""

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_file, load_folder
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Run, run_once
from hwnas_env.benchmark.scores import expected_best
from hwnas_env.benchmark.suites import SUITES, Suite
from hwnas_env.benchmark.tasks import Limits, Task
from hwnas_env.benchmark.validate import validate

__all__ = [
    "SUITES",
    "Job",
    "Limits",
    "Run",
    "Suite",
    "Task",
    "expected_best",
    "load_file",
    "load_folder",
    "run_all",
    "run_once",
    "validate",
]
