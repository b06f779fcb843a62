"""Weights & Biases hears every query of a run; offline here, without an account."""

import os
import tempfile

import wandb
from rich import print

from hwnas_env.benchmark import Task, run_once

os.environ["WANDB_SILENT"] = "true"
task = Task("HWNAS-NASBench201-EdgeGPU-v0", budget="medium")
with tempfile.TemporaryDirectory() as folder:
    log = wandb.init(project="hwnas", mode="offline", dir=folder)
    run = run_once(
        task, "evolution", seed=0, queries=50, callback=lambda _, r: log.log(r)
    )
    seen = log.summary["queries"]
    log.finish()
print(f"{run.accuracy_percent:.2f} %, {seen} queries logged")
assert seen == run.queries == 50
