"""Draws the pictures of the site's pages: ``python docs/figures.py``."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import hwnas_env
from hwnas_env.agents import find_agent
from hwnas_env.envs import environment_id
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import SEARCH_SPACES

FOLDER = Path(__file__).parent / "figures"
AGENTS = {"random": "o", "local_search": "^", "evolution": "s"}
SIZE: dict[str, Any] = {"figsize": (8, 4.2), "dpi": 120, "layout": "constrained"}


def found(problem: Problem, agent: str, queries: int) -> tuple[Any, Any]:
    """Returns cost and accuracy of what an agent's query improved on, in order."""
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=queries, record=True)
    rng = np.random.default_rng(list(AGENTS).index(agent))
    find_agent(agent)(problem, problem.budget("medium"), rng=rng).search(ledger)
    evaluation = problem.evaluate(ledger.history().genotypes)
    cost, accuracy = evaluation[problem.metric], evaluation["accuracy_percent"]
    best = np.maximum.accumulate(
        np.where(cost <= problem.budget("medium"), accuracy, 0)
    )
    new = np.flatnonzero(np.diff(best, prepend=0) > 0)
    return cost[new], accuracy[new]


def search_and_front() -> None:
    """Draws a space, its front, a budget, and three searches within it."""
    problem = hwnas_env.make_problem("nasbench201", device="edgegpu")
    drawn = problem.evaluate(problem.space.sample(2000, rng=np.random.default_rng(0)))
    front = problem.pareto_front().points
    order = np.argsort(front[:, 1])
    _, axes = plt.subplots(**SIZE)
    axes.scatter(
        drawn["latency_ms"],
        drawn["accuracy_percent"],
        s=8,
        color="0.75",
        label="networks",
    )
    axes.step(
        front[order, 1], front[order, 0], where="post", color="0.2", label="exact front"
    )
    budget = problem.budget("medium")
    axes.axvline(budget, color="0.4", linestyle="--", label="medium budget")
    for agent, marker in AGENTS.items():
        cost, accuracy = found(problem, agent, 300)
        axes.plot(cost, accuracy, marker, alpha=0.8, label=f"{agent}: its incumbents")
    best = problem.optimum("medium")
    axes.plot(
        best.cost,
        best.accuracy_percent,
        "*",
        markersize=16,
        color="tab:red",
        label="optimum",
    )
    axes.set(ylim=(80, 92.2), xlim=(0, 7), ylabel="validation accuracy [%]")
    axes.set_xlabel("latency on the Jetson TX2 [ms]")
    axes.legend(loc="lower right", fontsize=8)
    plt.savefig(FOLDER / "search_and_front.png")
    plt.close()


def devices_apart() -> None:
    """Draws how far six devices agree on what is cheap."""
    costs = hwnas_env.make_device_costs("nasbench201")
    names = [name for name in costs.names if name.endswith("latency_ms")][:6]
    rows = costs.space.sample(1500, rng=np.random.default_rng(0))
    values = dict(zip(costs.names, costs.evaluate(rows).T, strict=True))
    _, axes = plt.subplots(1, 3, figsize=(8, 3), dpi=120, layout="constrained")
    for axis, name in zip(axes, names[1:4], strict=True):
        axis.plot(values[names[0]], values[name], ".", markersize=2)
        for draw, column in ((axis.set_xlabel, names[0]), (axis.set_ylabel, name)):
            label = hwnas_env.DEVICES[column.removesuffix("_latency_ms")].label
            draw(f"{label} [ms]")
    plt.savefig(FOLDER / "devices_apart.png")
    plt.close()


def networks() -> None:
    """Draws the best network within a budget of each space, as the space does."""
    pictures: list[tuple[str, Any]] = []
    for name in SEARCH_SPACES:
        device = hwnas_env.devices.devices_of(name)[0]
        id_ = environment_id(name, device.name)
        env: Any = gym.make(id_, mode="mutate", render_mode="rgb_array")
        best = env.unwrapped.problem.optimum("medium").genotypes[0]
        env.reset(options={"genotype": best})
        pictures.append((env.unwrapped.problem.where, env.render()))
    heights = [picture.shape[0] / picture.shape[1] for _, picture in pictures]
    _, axes = plt.subplots(
        *(len(pictures), 1),
        figsize=(8, 8 * sum(heights) + 1),
        dpi=120,
        layout="constrained",
        height_ratios=heights,
    )
    for axis, (where, picture) in zip(axes, pictures, strict=True):
        axis.imshow(picture)
        axis.set_axis_off()
        axis.set_title(f"{where}: the optimum at the medium budget", fontsize=9)
    plt.savefig(FOLDER / "networks.png")
    plt.close()


if __name__ == "__main__":
    matplotlib.use("agg")
    for draw in (search_and_front, devices_apart, networks):
        draw()
