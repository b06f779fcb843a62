"""Masked PPO, all of it compiled: acting, advantages and updates in one function.

It is the algorithm of sb3-contrib's ``MaskablePPO`` with the hyperparameters of our
configuration of it: loss and gradients are the same to float32. Everything is a pure
function of a key and params, so ``jax.vmap`` trains many seeds and tasks at once.

References:
    Schulman et al., Proximal Policy Optimization Algorithms, 2017; Huang and Ontañón, A
    Closer Look at Invalid Action Masking in Policy Gradient Algorithms, FLAIRS 2022.
    Adam: Kingma and Ba, ICLR 2015.
"""

import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hwnas_env.jax.envs import BatchState, batch_mask, reset_batch, step_batch
from hwnas_env.jax.params import Params

VALUE_WEIGHT = 0.5
LARGEST_GRADIENT = 0.5
_BETAS = 0.9, 0.999
_EPSILON = 1e-5
_MASKED = -1e8


class Hyperparameters(NamedTuple):
    """What ``MaskablePPOConfig`` says, as numbers that a compiled function is made for.

    Attributes:
        rows: episodes side by side.
        rounds: episodes a row between two updates.
        epochs: passes over them.
        minibatches: parts of a pass.
        units: of the hidden layers of each of two networks.
        learning_rate: of Adam.
        clip_range: of the probability ratio.
        ent_coef: weight of the entropy.
        gamma: discount.
        gae_lambda: of the advantage.
    """

    rows: int = 8
    rounds: int = 2
    epochs: int = 10
    minibatches: int = 4
    units: tuple[int, ...] = (64, 64)
    learning_rate: float = 3e-3
    clip_range: float = 0.2
    ent_coef: float = 0.03
    gamma: float = 1.0
    gae_lambda: float = 1.0


class Networks(NamedTuple):
    """A policy and a value network: weights ``(I, O)`` and biases ``(O,)`` by layer."""

    policy: Any
    value: Any


class Training(NamedTuple):
    """A training run between two updates; a pytree.

    Attributes:
        key: of what is drawn next.
        networks: as they are.
        first: running means of gradients, as Adam keeps them.
        second: running means of their squares.
        updates: ``()`` float32, steps of Adam so far.
        batch: the episodes.
        mask: ``(N, K)`` bool, what is open in them.
    """

    key: Any
    networks: Networks
    first: Networks
    second: Networks
    updates: Any
    batch: BatchState
    mask: Any


class Batch(NamedTuple):
    """Decisions to learn from, M of them.

    Attributes:
        observation: ``(M, D)``.
        mask: ``(M, K)`` bool.
        action: ``(M,)`` int32.
        log_probability: ``(M,)`` of the action when it was drawn.
        advantage: ``(M,)``.
        target: ``(M,)`` of the value.
    """

    observation: Any
    mask: Any
    action: Any
    log_probability: Any
    advantage: Any
    target: Any


def begin(key: Any, params: Params, hyper: Hyperparameters) -> Training:
    """Starts a run: orthogonal weights, and episodes at their beginning.

    Args:
        key: of everything random.
        params: what is searched.
        hyper: hyperparameters.
    """
    key, of_policy, of_value, of_episodes = jax.random.split(key, 4)
    sizes = params.observation_size, *hyper.units
    networks = Networks(
        _layers(of_policy, (*sizes, params.spec.choices), last_gain=0.01),
        _layers(of_value, (*sizes, 1), last_gain=1.0),
    )
    zeros = jax.tree.map(jnp.zeros_like, networks)
    _, batch = reset_batch(of_episodes, params, hyper.rows)
    mask = batch_mask(batch, params)
    return Training(key, networks, zeros, zeros, jnp.float32(0.0), batch, mask)


def train(
    training: Training, params: Params, hyper: Hyperparameters, updates: int
) -> tuple[Training, Any]:
    """Acts and learns, a number of times.

    Args:
        training: a run.
        params: what is searched; of the same shape as before.
        hyper: hyperparameters, those that it began with.
        updates: how often.

    Returns:
        The run, and the networks that were queried, in their order:
        ``(updates * rounds * rows, L)`` int8.
    """
    length = params.spec.length

    def update(training: Training, _: Any) -> tuple[Training, Any]:
        training, (batch, found) = _act(training, params, hyper)
        queried = found[length - 1 :: length].reshape(-1, length)
        return _learn(training, batch, hyper), queried

    training, queried = jax.lax.scan(update, training, None, length=updates)
    return training, queried.reshape(-1, length)


def draw_networks(
    networks: Networks, key: Any, params: Params, count: int, *, greedy: bool = False
) -> Any:
    """Lets a policy build networks, without learning: ``(count, L)`` int8.

    Args:
        networks: as they were learnt.
        key: draws devices, budgets and decisions.
        params: whose observations have the same size.
        count: how many.
        greedy: whether every decision is the likeliest one.
    """
    of_episodes, of_actions = jax.random.split(key)
    _, batch = reset_batch(of_episodes, params, count)

    def decide(carry: Any, key: Any) -> tuple[Any, Any]:
        batch, mask = carry
        logits = _logits(networks, batch.observation, mask)
        drawn = jax.random.categorical(key, logits)
        action = jnp.argmax(logits, axis=1) if greedy else drawn
        _, batch, _, _, info = step_batch(key, batch, action, params)
        return (batch, info["action_mask"]), info["genotype"]

    keys = jax.random.split(of_actions, params.spec.length)
    _, genotypes = jax.lax.scan(decide, (batch, batch_mask(batch, params)), keys)
    return genotypes[-1]


def loss(networks: Networks, batch: Batch, hyper: Hyperparameters) -> Any:
    """Returns the loss of sb3-contrib's ``MaskablePPO`` on one minibatch.

    Args:
        networks: whose gradient may be asked for.
        batch: one minibatch; its advantages are normalised here.
        hyper: hyperparameters.
    """
    logits = _logits(networks, batch.observation, batch.mask)
    logarithms = jax.nn.log_softmax(logits)
    chosen = jnp.take_along_axis(logarithms, batch.action[:, None], axis=1)[:, 0]
    spread = jnp.std(batch.advantage, ddof=1)
    advantage = (batch.advantage - batch.advantage.mean()) / (spread + 1e-8)
    ratio = jnp.exp(chosen - batch.log_probability)
    clipped = jnp.clip(ratio, 1.0 - hyper.clip_range, 1.0 + hyper.clip_range)
    gain = jnp.minimum(advantage * ratio, advantage * clipped).mean()
    each = jnp.where(batch.mask, jnp.exp(logarithms) * logarithms, 0.0)
    entropy = -each.sum(axis=1).mean()
    error = ((batch.target - _values(networks, batch.observation)) ** 2).mean()
    return -gain - hyper.ent_coef * entropy + VALUE_WEIGHT * error


def _act(
    training: Training, params: Params, hyper: Hyperparameters
) -> tuple[Training, tuple[Batch, Any]]:
    """Plays whole episodes: decisions ``(T N, ...)``, and genotypes ``(T, N, L)``."""
    key, of_actions = jax.random.split(training.key)
    networks, steps = training.networks, hyper.rounds * params.spec.length

    def decide(carry: Any, key: Any) -> tuple[Any, Any]:
        batch, mask = carry
        shown = batch.observation
        logits = _logits(networks, shown, mask)
        of_action, of_step = jax.random.split(key)
        action = jax.random.categorical(of_action, logits)
        chosen = jnp.take_along_axis(
            jax.nn.log_softmax(logits), action[:, None], axis=1
        )[:, 0]
        _, batch, reward, done, info = step_batch(of_step, batch, action, params)
        kept = shown, mask, action, chosen, reward, done, info["genotype"]
        return (batch, info["action_mask"]), kept

    (batch, mask), kept = jax.lax.scan(
        decide, (training.batch, training.mask), jax.random.split(of_actions, steps)
    )
    shown, masks, action, chosen, reward, done, genotype = kept
    value = _values(networks, shown)
    advantage = _advantages(reward, done, value, hyper)
    rows = (shown, masks, action, chosen, advantage, advantage + value)
    flat = [one.reshape(steps * hyper.rows, *one.shape[2:]) for one in rows]
    training = training._replace(key=key, batch=batch, mask=mask)
    return training, (Batch(*flat), genotype)


def _advantages(reward: Any, done: Any, value: Any, hyper: Hyperparameters) -> Any:
    """Returns generalised advantages ``(T, N)``; the last step ends every episode."""

    def back(carry: Any, row: Any) -> tuple[Any, Any]:
        after, ahead = carry
        reward, goes_on, value = row
        delta = reward + hyper.gamma * ahead * goes_on - value
        advantage = delta + hyper.gamma * hyper.gae_lambda * goes_on * after
        return (advantage, value), advantage

    zero = jnp.zeros_like(value[0])
    rows = reward, 1.0 - done.astype(jnp.float32), value
    return jax.lax.scan(back, (zero, zero), rows, reverse=True)[1]


def _learn(training: Training, batch: Batch, hyper: Hyperparameters) -> Training:
    size = len(batch.action) // hyper.minibatches

    def epoch(training: Training, _: Any) -> tuple[Training, None]:
        key, of_order = jax.random.split(training.key)
        order = jax.random.permutation(of_order, len(batch.action))
        parts = order[: size * hyper.minibatches].reshape(hyper.minibatches, size)

        def part(training: Training, rows: Any) -> tuple[Training, None]:
            own = jax.tree.map(lambda one: one[rows], batch)
            gradient = jax.grad(loss)(training.networks, own, hyper)
            return _adam(training, gradient, hyper), None

        return jax.lax.scan(part, training._replace(key=key), parts)[0], None

    return jax.lax.scan(epoch, training, None, length=hyper.epochs)[0]


def _adam(training: Training, gradient: Networks, hyper: Hyperparameters) -> Training:
    """Takes a step against a gradient, whose norm is bounded before."""
    norm = jnp.sqrt(sum(jnp.sum(one**2) for one in jax.tree.leaves(gradient)))
    bounded = jnp.minimum(1.0, LARGEST_GRADIENT / (norm + 1e-6))
    updates = training.updates + 1.0
    keep, keep_squares = _BETAS

    def step(weight: Any, first: Any, second: Any, gradient: Any) -> tuple[Any, ...]:
        gradient = gradient * bounded
        first = keep * first + (1.0 - keep) * gradient
        second = keep_squares * second + (1.0 - keep_squares) * gradient**2
        size = jnp.sqrt(second / (1.0 - keep_squares**updates)) + _EPSILON
        move = hyper.learning_rate * first / (1.0 - keep**updates) / size
        return weight - move, first, second

    moved = [
        step(*leaves)
        for leaves in zip(
            *map(jax.tree.leaves, (training.networks, training.first)),
            *map(jax.tree.leaves, (training.second, gradient)),
            strict=True,
        )
    ]
    form = jax.tree.structure(gradient)
    parts = zip(*moved, strict=True)
    networks, first, second = (jax.tree.unflatten(form, part) for part in parts)
    return training._replace(
        networks=networks, first=first, second=second, updates=updates
    )


def _layers(key: Any, sizes: tuple[int, ...], *, last_gain: float) -> Any:
    layers = []
    for number, shape in enumerate(itertools.pairwise(sizes)):
        key, own = jax.random.split(key)
        gain = last_gain if number == len(sizes) - 2 else 2.0**0.5
        weights = jax.nn.initializers.orthogonal(gain)(own, shape, jnp.float32)
        layers.append([weights, jnp.zeros(shape[1], jnp.float32)])
    return layers


def _logits(networks: Networks, observation: Any, mask: Any) -> Any:
    return jnp.where(mask, _output(networks.policy, observation), _MASKED)


def _values(networks: Networks, observation: Any) -> Any:
    return _output(networks.value, observation)[..., 0]


def _output(layers: Any, x: Any) -> Any:
    for weights, bias in layers[:-1]:
        x = jnp.tanh(x @ weights + bias)
    weights, bias = layers[-1]
    return x @ weights + bias
