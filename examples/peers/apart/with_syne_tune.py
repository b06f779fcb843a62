"""syne-tune's simulator on a table of all networks, with their training times."""

import logging
import os
import tempfile

from rich import print
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository.simulated_tabular_backend import (
    UserBlackboxBackend,
)
from syne_tune.experiments import load_experiment
from syne_tune.optimizer.baselines import REA

import hwnas_env
from hwnas_env.integrations import syne_tune_table

os.environ["SYNETUNE_FOLDER"] = tempfile.mkdtemp()  # what it writes
logging.disable(logging.WARNING)
problem = hwnas_env.make_problem("nasbench201", device="edgetpu")
table = syne_tune_table(problem)
scheduler = REA(
    table.configuration_space, metric="loss", do_minimize=True, random_seed=0
)
tuner = Tuner(
    trial_backend=UserBlackboxBackend(
        blackbox=table, elapsed_time_attr="train_seconds"
    ),
    scheduler=scheduler,
    stop_criterion=StoppingCriterion(max_num_trials_finished=60),
    n_workers=4,
    sleep_time=0,
    callbacks=[SimulatorCallback()],
    print_update_interval=1e9,
)
tuner.run()
results = load_experiment(tuner.name).results
best = 100 - results["loss"].min()
optimum = problem.optimum("medium").accuracy_percent
print(f"{best:.2f} % after {len(results)} networks; optimum {optimum:.2f} %")
assert len(results) >= 60
assert 0 < best <= optimum
