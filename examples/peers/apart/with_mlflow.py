"""MLflow hears every query of a run: the numbers as metrics, a step a query."""

import os
import tempfile

import mlflow
from rich import print

from hwnas_env.benchmark import Task, run_once

os.environ["GIT_PYTHON_REFRESH"] = "quiet"


def log(query, record):
    """Logs what is a number."""
    numbers = {k: v for k, v in record.items() if not isinstance(v, str)}
    mlflow.log_metrics(numbers, step=query)


task = Task("HWNAS-NASBench201-EdgeGPU-v0", budget="medium")
with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    with mlflow.start_run() as started:
        run = run_once(task, "evolution", seed=0, queries=50, callback=log)
    client = mlflow.MlflowClient()
    history = client.get_metric_history(started.info.run_id, "accuracy_percent")
print(f"{run.accuracy_percent:.2f} %, {len(history)} queries logged")
assert len(history) == run.queries == 50
