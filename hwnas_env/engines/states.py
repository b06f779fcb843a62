"""As few states as a quantity needs: what makes no difference to its sums is merged."""

import numpy as np

from hwnas_env.engines.additive import Additive
from hwnas_env.types import IntArray


def merged(quantity: Additive) -> Additive:
    """Returns the same quantities with as few states as tell their sums apart.

    States that no prefix leaves are dropped, and those of a layer from where all
    completions add the same are one.
    """
    classes, kept = _classes(quantity)
    states = max(map(len, kept))
    entries = np.zeros((len(kept), states, *quantity.entries.shape[2:]))
    following = np.zeros(entries.shape[:3], dtype=np.int64)
    for layer, rows in enumerate(kept):
        entries[layer, : len(rows)] = quantity.entries[layer, rows]
        after = classes[layer + 1][quantity.next_state[layer, rows]]
        following[layer, : len(rows)] = np.maximum(after, 0)
    return Additive(
        quantity.start, entries, following, quantity.links, quantity.blocks_at
    )


def _classes(quantity: Additive) -> tuple[list[IntArray], list[list[int]]]:
    """Sorts states into classes that no completion tells apart, layer by layer.

    Returns:
        ``L + 1`` arrays ``(S,)``: the class of each state before a layer, -1 for one
        that no prefix leaves; and for each layer a state of every class.
    """
    layers, states, _, _ = quantity.entries.shape
    reached = np.zeros((layers + 1, states), dtype=np.bool_)
    reached[0, 0] = True
    for layer, blocks in enumerate(quantity.blocks_at):
        left = quantity.next_state[layer, reached[layer], :blocks]
        reached[layer + 1, left.reshape(-1)] = True
    classes = [np.zeros(states, dtype=np.int64)]
    kept: list[list[int]] = []
    for layer in reversed(range(layers)):
        blocks = quantity.blocks_at[layer]
        known: dict[bytes, int] = {}
        firsts: list[int] = []
        own = np.full(states, -1, dtype=np.int64)
        after = classes[0][quantity.next_state[layer]]
        for state in np.flatnonzero(reached[layer]).tolist():
            sums = quantity.entries[layer, state, :blocks] + 0.0  # no negative zeros
            key = sums.tobytes() + after[state, :blocks].tobytes()
            own[state] = known.setdefault(key, len(known))
            if own[state] == len(firsts):
                firsts.append(state)
        classes.insert(0, own)
        kept.insert(0, firsts)
    return classes, kept
