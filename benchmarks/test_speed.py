"""Measures speed as ratios, interleaved in one run, since machines are noisy.

    make bench                                            # prints every ratio
    OMP_NUM_THREADS=1 pytest benchmarks -k SB3 --benchmark-json speed.json

Each test takes the CPU time of ours, and before every round of the yardstick; the ratio
is that of the medians. Nothing here is an asserted limit. Set OMP_NUM_THREADS=1 for one
core.
"""

import itertools
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from timings import (
    dictionary_queries,
    dictionary_sums,
    dummy_steps,
    every_cost,
    learner_share,
    process,
    sb3_steps,
    single_resets,
    single_steps,
    sync_steps,
    vector_steps,
    whole_run,
)

from hwnas_env.envs.registration import RANDOM_DEVICE_ENVIRONMENTS

CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
ROUNDS = 15
Make = Callable[[], Callable[[], float]]


def rows() -> Iterator[tuple[str, Make, str, Make]]:
    """Names ours and the yardstick, and makes what times them, in seconds."""
    pole = partial(single_steps, "CartPole")
    for name in (CELL, NET):
        yield f"{name} step", partial(single_steps, name), "CartPole step", pole
    for name in RANDOM_DEVICE_ENVIRONMENTS:
        make, label = partial(single_resets, name), f"{name} reset"
        yield label, make, "CartPole reset", partial(single_resets, "CartPole")
    for name in (CELL, NET):
        for count in (16, 64, 256, 1024, 4096):
            make = partial(vector_steps, name, count)
            label = f"{name}, vector of {count}, a row"
            yield label, make, "own SyncVectorEnv(16), a row", partial(sync_steps, name)
    for name, count in itertools.product((CELL, NET), (64, 256, 1024, 4096)):
        make = partial(vector_steps, name, count)
        poles = partial(vector_steps, "CartPole", count)
        label = f"{name}, vector of {count}, a row"
        yield label, make, f"CartPole's vector of {count}, a row", poles
    for count in (64, 4096):
        make = partial(vector_steps, NET, count, budget="sampled")
        label = f"{NET}, budget=sampled, vector of {count}, a row"
        yield label, make, "medium budgets", partial(vector_steps, NET, count)
    for count in (8, 64):
        make, label = partial(sb3_steps, CELL, count), f"{CELL}, SB3VecEnv of {count}"
        yield label, make, "DummyVecEnv", partial(dummy_steps, CELL, count)
    for size in (1, 1024, 65536):
        label = f"batch of {size}, a network"
        nets, cells = (partial(every_cost, s, size) for s in ("fbnet", "nasbench201"))
        yield f"fbnet, 8 metrics, {label}", nets, "dictionary sums", dictionary_sums
        label = f"nasbench201, 10 metrics, {label}"
        yield label, cells, "dictionary queries", dictionary_queries
    for ours, other in (
        ("import gymnasium, hwnas_env", "import gymnasium"),
        (
            f"import gymnasium, hwnas_env; gymnasium.make('{CELL}').reset()",
            "import gymnasium; gymnasium.make('CartPole-v1').reset()",
        ),
    ):
        yield ours, partial(process, ours), other, partial(process, other)


@pytest.mark.parametrize(
    ("label", "make", "other", "make_other"),
    [pytest.param(*row, id=f"{row[0]} / {row[2]}") for row in rows()],
)
def test_ratio(
    label: str, make: Make, other: str, make_other: Make, benchmark: Any
) -> None:
    """Times ours, and the yardstick before every round."""
    ours, yardstick = make(), make_other()
    mine: list[float] = []
    theirs: list[float] = []
    benchmark.pedantic(
        lambda: mine.append(ours()),
        setup=lambda: theirs.append(yardstick()),
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    us, other_us = (1e6 * statistics.median(times[1:]) for times in (mine, theirs))
    benchmark.extra_info.update(
        ours=label, us=us, yardstick=other, other_us=other_us, ratio=other_us / us
    )


@pytest.mark.parametrize("queries", [500, 17_000])
@pytest.mark.parametrize("name", [CELL, NET])
def test_whole_runs(name: str, queries: int, benchmark: Any) -> None:
    """Times runs of the compiled learner beside those of sb3-contrib's."""
    if queries > 500 and name == NET:
        queries = 4_600  # either is about 100,000 steps
    ours = whole_run("jax_ppo", name, queries)
    theirs = whole_run("maskable_ppo", name, queries)
    mine, others = [ours() for _ in range(3)], [theirs()]
    benchmark.pedantic(lambda: mine.append(ours()), rounds=2)
    us, other_us = (1e6 * statistics.median(times) for times in (mine, others))
    label = f"{name}, jax_ppo, {queries} queries"
    benchmark.extra_info.update(
        ours=label, us=us, yardstick="maskable_ppo", other_us=other_us,
        ratio=other_us / us,
    )  # fmt: skip


@pytest.mark.parametrize("name", [CELL, NET])
def test_share_of_learning(name: str, benchmark: Any) -> None:
    """Times the steps and masks of 64 environments within PPO's ``learn``."""
    shares: list[float] = []
    benchmark.pedantic(lambda: shares.append(learner_share(name)), rounds=3)
    benchmark.extra_info.update(ours=name, share=statistics.median(shares))
