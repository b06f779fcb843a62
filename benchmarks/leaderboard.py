"""Runs the project's own leaderboard, and writes its page and figures; resumable.

    python benchmarks/leaderboard.py FOLDER --jobs -1 [--suite NAME]

Records go to FOLDER, one folder a suite; a second call does what is missing. Then
``docs/leaderboard.md`` and ``docs/figures/leaderboard`` are written from the report;
with --suite only that suite's part of them.
"""

import argparse
import csv
import functools
import shutil
import sys
from pathlib import Path

from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.runs import Limits
from hwnas_env.benchmark.seconds import add_seconds
from hwnas_env.benchmark.suite_runs import find_suite, run_suite
from hwnas_env.reports.page.bench_report import report_folders

QUERIES = 500
STUDY = (
    (("random", "local_search", "evolution", "annealing", "reinforce", "jax_ppo"), 30),
    (("tpe", "nsga2"), 10),
    (("ppo", "maskable_ppo", "a2c", "dqn"), 5),
)
"""Agents and the number of their seeds on every task."""

FIGURES = {
    "iqm": "Interquartile mean of the score, 95 % intervals",
    "curves": "Regret after every query",
    "profiles": "Performance profiles",
    "improvement": "Probability of improvement",
}
SUITES = {
    "nasbench201-v0": "NAS-Bench-201, cifar10: measured accuracy, fitted latency",
    "fbnet-v0": "FBNet, ImageNet: surrogate accuracy, modelled latency",
    "mnasnet-v0": "MnasNet, ImageNet: fitted accuracy, fitted latency or time an image",
}
DOCS = Path(__file__).parent.parent / "docs"
HEAD = f"""# Leaderboard

<!-- written by benchmarks/leaderboard.py; do not edit -->

Every agent with its defaults on `nasbench201-v0`, `fbnet-v0` and `mnasnet-v0`: six
devices at tight, medium and loose budgets, {QUERIES} queries a run. A score is 0 for
what masked random search is expected to find with as many queries and 1 for the exact
optimum;
[report.md](report.md) explains every column and figure. What is fitted, modelled or a
surrogate ranks agents on those numbers, not on a device.

The size is what one core computes in two hours and a half: 30 seeds a task for the
searchers that take a tenth of a second and for `jax_ppo`, whose training is compiled
([jax.md](jax.md)), 10 for Optuna's TPE and NSGA-II, 5 for the learners of
Stable-Baselines3, whose intervals are too narrow for so few. The Gaussian process is
left out: a run of it took three and a half minutes. Defaults were tuned, on tasks that
[agent_studies.md](agent_studies.md) names; some of the searchers' are among these. Wall
times, where a part has them, were taken beside other work: they order agents roughly.

    python benchmarks/leaderboard.py records --jobs -1

runs it all again and writes this page. The whole report, with every task, front and
incumbent, is `hwnas-env bench report` on those records.
"""


def section(suite: str, title: str, files: Path) -> str:
    """Copies a suite's figures, and returns its part of the page."""
    with (files / "group1-leaderboard.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    lines = ["| " + " | ".join(row) + " |" for row in (header, *rows)]
    lines.insert(1, "|" + "---|" * len(header))
    for name, words in FIGURES.items():
        copied = DOCS / "figures" / "leaderboard" / f"{suite}-{name}.png"
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files / f"group1-{name}.png", copied)
        lines += ["", f"![{words}](figures/leaderboard/{copied.name})"]
    return f"\n## `{suite}`\n\n{title}.\n\n" + "\n".join(lines) + "\n"


def written(suite: str, page: str) -> str:
    """Returns a suite's part of the page as it is there; nothing where it is not."""
    _, found, rest = page.partition(f"\n## `{suite}`\n")
    return found + rest.partition("\n## `")[0].rstrip("\n") + "\n" if found else ""


def main() -> None:
    """Runs what is missing, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--suite", choices=SUITES)
    options = parser.parse_args()
    page, path = HEAD, DOCS / "leaderboard.md"
    for name, title in SUITES.items():
        if options.suite not in (None, name):
            page += written(name, path.read_text(encoding="utf-8"))
            continue
        folder = options.folder / name
        for agents, seeds in STUDY:
            run_suite(
                find_suite(name),
                agents,
                seeds=seeds,
                limits=Limits(QUERIES),
                folder=folder,
                workers=Workers(options.jobs),
                timed=functools.partial(add_seconds, folder),
            )
            sys.stderr.write(f"{name}: {', '.join(agents)} done\n")
        report = options.folder / f"{name}.html"
        report_folders([folder], report)
        page += section(name, title, report.with_name(f"{name}_files"))
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
