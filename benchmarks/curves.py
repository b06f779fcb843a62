"""Draws the mean incumbent over queries, from what ``significance.py`` recorded.

python benchmarks/curves.py docs/figures/significance.json docs/figures/curves.png
"""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

from hwnas_env.benchmark.runs import Task

SHOWN = (
    "HWNAS-NASBench201-EdgeGPU-v0",
    "HWNAS-NASBench201-Pixel3-v0",
    "HWNAS-FBNet-EdgeTPU-v0",
    "HWNAS-FBNet-Pixel3-v0",
)


def main() -> None:
    """Draws one panel an environment: regret on a logarithmic scale."""
    rows = json.loads(Path(sys.argv[1]).read_text())["rows"]
    agents = list(dict.fromkeys(row["agent"] for row in rows))
    figure = Figure(figsize=(10, 7.5), dpi=110, layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    for panel, env in zip(panels, SHOWN, strict=True):
        best = Task(env).problem().optimum("medium").accuracy_percent
        for number, agent in enumerate(agents):
            found = [r for r in rows if (r["env"], r["agent"]) == (env, agent)]
            if not found:
                continue
            curve = found[0]["curve"]
            queries = range(10, 10 * len(curve) + 1, 10)
            regret = [max(best - value, 1e-3) for value in curve]
            style = {"color": f"C{number % 10}", "linewidth": 1.4}
            if agent == "random":
                style = {"color": "black", "linewidth": 2.2, "linestyle": "--"}
            elif number >= 7:
                style["linestyle"] = "-."
            panel.plot(queries, regret, label=agent, **style)
        panel.set_title(env, fontsize=9)
        panel.set_yscale("log")
        panel.set_xlabel("queries", fontsize=8)
        panel.set_ylabel("regret in percentage points, mean over seeds", fontsize=8)
        panel.tick_params(labelsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8)
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
