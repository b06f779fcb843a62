"""Times compiled episodes beside gymnax's CartPole: CPU time, interleaved rounds.

    make bench                   # runs this too
    taskset -c 0 .venv-jax/bin/python benchmarks/jax_speed.py

Prints nanoseconds a step of ``step_batch`` and ratios of minima. Actions are drawn in
advance; every row begins anew where its episode ends.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import gymnax
import jax
import jax.numpy as jnp

import hwnas_env
from hwnas_env.jax import make_params, reset_batch, step_batch

TASKS = (("nasbench201", "edgegpu"), ("fbnet", "edgetpu"), ("mnasnet", "zcu102"))
STEPS, ROUNDS = 132, 9


def rollout(begin: Any, step: Any, choices: int, count: int) -> Callable[[Any], float]:
    """Returns a function that times a step a row, in nanoseconds, for a key."""

    def play(key: Any, actions: Any) -> Any:
        def one(state: Any, inputs: Any) -> tuple[Any, Any]:
            return step(*inputs, state)

        state = begin(key, count)
        state, sums = jax.lax.scan(one, state, (jax.random.split(key, STEPS), actions))
        # everything of the last state is asked for, so that nothing is left out
        leaves = jax.tree.leaves(state)
        return sums.sum() + sum(leaf.astype(jnp.float32).sum() for leaf in leaves)

    compiled = jax.jit(play)
    actions = jax.random.randint(jax.random.key(1), (STEPS, count), 0, choices)
    compiled(jax.random.key(0), actions).block_until_ready()

    def timed(key: Any) -> float:
        start = time.process_time()
        compiled(key, actions).block_until_ready()
        return 1e9 * (time.process_time() - start) / STEPS / count

    return timed


def cart_pole(count: int) -> Callable[[Any], float]:
    """Returns what times gymnax's CartPole, each row with a key of its own."""
    env, params = gymnax.make("CartPole-v1")

    def begin(key: Any, count: int) -> Any:
        return jax.vmap(env.reset, (0, None))(jax.random.split(key, count), params)[1]

    def step(key: Any, action: Any, state: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key, count)
        shown, state, reward, *_ = jax.vmap(env.step, (0, 0, 0, None))(
            keys, state, action, params
        )
        return state, shown.sum() + reward.sum()

    return rollout(begin, step, 2, count)


def construct(space: str, device: str, count: int) -> Callable[[Any], float]:
    """Returns what times our episodes, observations and masks included."""
    problem = hwnas_env.make_problem(space, device=device)
    params = jax.tree.map(jnp.asarray, make_params(problem))

    def begin(key: Any, count: int) -> Any:
        return reset_batch(key, params, count)[1]

    def step(key: Any, action: Any, state: Any) -> tuple[Any, Any]:
        _, state, reward, _, info = step_batch(key, state, action, params)
        return state, reward.sum() + info["action_mask"].sum()

    return rollout(begin, step, params.spec.choices, count)


def main() -> None:
    """Prints a line a search space and number of rows."""
    for count in (1024, 4096):
        timed = {"gymnax CartPole": cart_pole(count)}
        for space, device in TASKS:
            timed[space] = construct(space, device, count)
        rounds = [
            {name: run(jax.random.key(number)) for name, run in timed.items()}
            for number in range(ROUNDS)
        ]
        least = {name: min(one[name] for one in rounds) for name in timed}
        pole = least["gymnax CartPole"]
        for name, spent in least.items():
            line = f"{count} rows, {name}: {spent:.1f} ns a step, {pole / spent:.2f}\n"
            sys.stdout.write(line)


if __name__ == "__main__":
    main()
