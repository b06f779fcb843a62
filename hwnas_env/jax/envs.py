"""Episodes of mode construct as pure functions, for ``jax.jit`` and ``jax.vmap``.

They are those of :class:`hwnas_env.envs.construct.ConstructEnv`: the same genotypes,
masks and feasible networks, and observations and rewards to 3 units in the last place
of float32, given the same device and budget.

Example:
    >>> import hwnas_env, jax
    >>> from hwnas_env.jax import action_mask, make_params, reset, step
    >>> problem = hwnas_env.make_problem("fbnet", device="edgegpu")
    >>> params = make_params(problem, budget="tight")
    >>> observation, state = reset(jax.random.key(0), params)
    >>> int(action_mask(state, params).sum())
    9
    >>> _, state, reward, done, info = step(jax.random.key(1), state, 8, params)
    >>> bool(done), int(state.time)
    (False, 1)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hwnas_env.arguments import check_type, check_whole
from hwnas_env.jax.params import Params, Spec
from hwnas_env.jax.prefixes import (
    Look,
    Place,
    advance,
    budget_of,
    look,
    outcome,
    start,
    tail,
)
from hwnas_env.showing import line


class State(NamedTuple):
    """An episode; a pytree.

    Attributes:
        genotype: ``(L,)`` int8, -1 where undecided.
        time: ``()`` int32, decisions so far.
        place: what masks and costs follow from.
    """

    genotype: Any
    time: Any
    place: Place

    def __repr__(self) -> str:
        """Returns how many episodes there are, and of how many decisions."""
        return line(type(self).__name__, f"genotype {jnp.shape(self.genotype)}")


class BatchState(NamedTuple):
    """N episodes that began together; a pytree that owns its observations.

    Attributes:
        genotype: ``(N, L)`` int8, -1 where undecided.
        time: ``()`` int32, decisions so far, the same in all rows.
        place: of ``(N, ...)``.
        observation: ``(N, D)`` float32.
    """

    genotype: Any
    time: Any
    place: Place
    observation: Any

    def __repr__(self) -> str:
        """Returns how many episodes there are, and of how many decisions."""
        return line(type(self).__name__, f"genotype {jnp.shape(self.genotype)}")


def reset(key: Any, params: Params) -> tuple[Any, State]:
    """Starts an episode.

    Args:
        key: draws the device and the budget, where the params have several.
        params: what is searched.

    Returns:
        The observation ``(D,)`` float32, and the state.
    """
    check_type(params, Params, what="params")
    state = _first(key, params)
    return _observe(state, look(state.place, state.time, params), params), state


def action_mask(state: State, params: Params) -> Any:
    """Returns which actions are open: ``(K,)`` bool."""
    return look(state.place, state.time, params).mask


def step_env(
    key: Any, state: State, action: Any, params: Params
) -> tuple[Any, State, Any, Any, dict[str, Any]]:
    """Decides the next position, without a new episode after the last one.

    Args:
        key: not used.
        state: of an episode that is not complete.
        action: ``()`` integer in [0, K); another one is not noticed, since compiled
            functions raise nothing, and makes what follows meaningless.
        params: what is searched.

    Returns:
        Observation ``(D,)`` float32, state, reward ``()`` or ``(k,)`` float32, whether
        the episode is over, and info: a dictionary of arrays.
    """
    del key
    state, reward, done, info = _advance(state, action, params)
    seen = look(state.place, state.time, params)
    info |= {"action_mask": seen.mask, "completable": seen.completable}
    return _observe(state, seen, params), state, reward, done, info


def step(
    key: Any, state: State, action: Any, params: Params
) -> tuple[Any, State, Any, Any, dict[str, Any]]:
    """Decides the next position; where that ends the episode, another one starts.

    Observation, state, and info's ``action_mask`` and ``completable`` then are the new
    episode's, all other info is of the one that ended.

    Args:
        key: draws the new episode's device and budget.
        state: of an episode.
        action: ``()`` integer in [0, K); another one is not noticed, since compiled
            functions raise nothing, and makes what follows meaningless.
        params: what is searched.

    Returns:
        As :func:`step_env`.
    """
    state, reward, done, info = _advance(state, action, params)
    first = _first(key, params)
    state = jax.tree.map(lambda new, old: jnp.where(done, new, old), first, state)
    seen = look(state.place, state.time, params)
    info |= {"action_mask": seen.mask, "completable": seen.completable}
    return _observe(state, seen, params), state, reward, done, info


def reset_batch(key: Any, params: Params, count: int) -> tuple[Any, BatchState]:
    """Starts episodes that take their steps together; see :func:`step_batch`.

    Args:
        key: draws devices and budgets.
        params: what is searched.
        count: how many, N.

    Returns:
        Observations ``(N, D)`` float32, and the state.
    """
    check_type(params, Params, what="params")
    count = check_whole(count, what="count", least=1)
    batch = _first_batch(key, params, count)
    return batch.observation, batch


def batch_mask(batch: BatchState, params: Params) -> Any:
    """Returns which actions are open: ``(N, K)`` bool."""
    return _many(look, None)(batch.place, batch.time, params).mask


def step_batch(
    key: Any, batch: BatchState, action: Any, params: Params
) -> tuple[Any, BatchState, Any, Any, dict[str, Any]]:
    """Does what :func:`step` does in N rows, and writes into their observations.

    It is several times quicker than ``jax.vmap(step)`` where observations are wide and
    the state's memory can be used again: in ``jax.lax.scan``, or with
    ``jax.jit(..., donate_argnums=1)``.

    Args:
        key: draws new episodes' devices and budgets.
        batch: of N episodes.
        action: ``(N,)`` integers in [0, K); see :func:`step_env` of others.
        params: what is searched.

    Returns:
        As :func:`step`, of ``(N, ...)``.
    """
    spec, time = params.spec, batch.time
    choice = _choice(action, time, spec)
    rows, count = jnp.arange(len(choice)), len(choice)
    place = _many(advance, None, 0)(batch.place, time, choice, params)
    genotype = jax.lax.dynamic_update_slice_in_dim(
        batch.genotype, choice.astype(jnp.int8)[:, None], time, axis=1
    )
    done = time + 1 == spec.length
    # two small branches: one that held the whole state would copy it
    found = jax.lax.cond(
        done,
        lambda place: _many(outcome)(place, params)._asdict(),
        lambda _: _nothing(count, spec),
        place,
    )
    ended = jnp.broadcast_to(done, (count,))
    info = _info(found, genotype, ended) | _episode(place, params, many=True)
    first = _many(start)(jax.random.split(key, count), params)
    place = jax.tree.map(lambda new, old: jnp.where(done, new, old), first, place)
    seen = _many(look, None)(place, jnp.where(done, 0, time + 1), params)
    info |= {"action_mask": seen.mask, "completable": seen.completable}

    def begun(shown: Any) -> Any:
        blank = jnp.zeros_like(shown).at[:, sum(spec.counts)].set(1.0)
        return blank.at[:, spec.ones + 2 :].set(_many(tail)(place, params))

    shown = batch.observation.at[rows, _offset(time, spec) + choice].set(1.0)
    # the position moves on by one; after the last, beyond it, to what is set below
    moved = jnp.broadcast_to(jnp.array([0.0, 1.0], jnp.float32), (count, 2))
    at = sum(spec.counts) + time
    shown = jax.lax.dynamic_update_slice_in_dim(shown, moved, at, axis=1)
    shown = jax.lax.cond(done, begun, lambda shown: shown, shown)
    shown = jax.lax.dynamic_update_slice_in_dim(shown, seen.ratios, spec.ones, axis=1)
    state = BatchState(
        jnp.where(done, jnp.int8(-1), genotype),
        jnp.where(done, 0, time + 1),
        place,
        shown,
    )
    return shown, state, found["reward"], ended, info


def _many(function: Any, *axes: int | None) -> Any:
    """Maps a function of a place or key, some more, and params, over rows."""
    return jax.vmap(function, in_axes=(0, *axes, None))


def _first(key: Any, params: Params) -> State:
    genotype = jnp.full(params.spec.length, -1, jnp.int8)
    return State(genotype, jnp.int32(0), start(key, params))


def _first_batch(key: Any, params: Params, count: int) -> BatchState:
    states = _many(_first)(jax.random.split(key, count), params)
    seen = _many(look, None)(states.place, jnp.int32(0), params)
    shown = _many(_observe, 0)(states, seen, params)
    return BatchState(states.genotype, jnp.int32(0), states.place, shown)


def _advance(
    state: State, action: Any, params: Params
) -> tuple[State, Any, Any, dict[str, Any]]:
    spec, time = params.spec, state.time
    choice = _choice(action, time, spec)
    genotype = jnp.where(
        jnp.arange(spec.length) == time, choice.astype(jnp.int8), state.genotype
    )
    place = advance(state.place, time, choice, params)
    state = State(genotype, time + 1, place)
    done = state.time == spec.length
    found = outcome(place, params)
    shown = {
        name: jnp.where(done, value, jnp.zeros_like(value))
        for name, value in found._asdict().items()
    }
    info = _info(shown, genotype, done) | _episode(place, params, many=False)
    return state, shown["reward"], done, info


def _choice(action: Any, time: Any, spec: Spec) -> Any:
    """Returns the choices that actions mean: where there are fewer, the remainder."""
    action = jnp.asarray(action).astype(jnp.int32)
    if len(set(spec.counts)) == 1:
        return action
    return action % jnp.array(spec.counts, jnp.int32)[time]


def _offset(time: Any, spec: Spec) -> Any:
    if len(set(spec.counts)) == 1:
        return time * spec.choices
    return jnp.array(spec.offsets, jnp.int32)[time]


def _observe(state: State, seen: Look, params: Params) -> Any:
    spec = params.spec
    if len(set(spec.counts)) == 1:
        choices = jnp.arange(spec.choices, dtype=jnp.int8)
        decided = (state.genotype[:, None] == choices).reshape(-1)
    else:
        decided = jnp.concatenate(
            [
                state.genotype[position] == jnp.arange(count, dtype=jnp.int8)
                for position, count in enumerate(spec.counts)
            ]
        )
    parts = [decided, jnp.arange(spec.length) == state.time, seen.ratios]
    parts.append(tail(state.place, params))
    return jnp.concatenate([part.astype(jnp.float32) for part in parts])


def _nothing(count: int, spec: Spec) -> dict[str, Any]:
    """Returns what is said of rows that have no network yet."""
    numbers, flags = jnp.zeros(count, jnp.float32), jnp.zeros(count, jnp.bool_)
    objectives = (len(spec.objectives),) if spec.objectives else ()
    return {
        "reward": jnp.zeros((count, *objectives), jnp.float32),
        "accuracy_percent": numbers,
        "cost": numbers,
        "feasible": flags,
        "deployable": flags,
    }


def _info(found: dict[str, Any], genotype: Any, done: Any) -> dict[str, Any]:
    info = {name: value for name, value in found.items() if name != "reward"}
    return {"evaluated": done, "genotype": genotype, **info}


def _episode(place: Place, params: Params, *, many: bool) -> dict[str, Any]:
    budget = _many(budget_of) if many else budget_of
    return {"budget": budget(place, params), "device": place.device}
