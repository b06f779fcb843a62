"""Values that nobody expects, and ways to put them where they do not belong."""

import json
import math
from typing import Any

import numpy as np

VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 7, 2**31, 2**63, -(2**63), 10**30, 10**400),
    *(0.5, -0.0, 1e-320, 1e308, math.nan, math.inf, -math.inf),
    *("", "x", "0", "-1", "cifar10", "CIFAR-10", "latency_ms", "edgetpu", "tight"),
    *("sys:exit", "os:system", "builtins:input", "[/b]", "\x1b[31m", "=1+1", "\ud800"),
    *("\0", "a" * 10_000, "../../x", "1e999", "[]", "construct", "sampled", "random"),
    *([], {}, [[]], [1, 2], [None], ["x"], {"a": 1}, {"queries": -1}, [0.5] * 300),
)
"""What may come out of a JSON file, or into an argument."""

OBJECTS: tuple[Any, ...] = (
    *(b"x", (), (1,), {1}, object(), len, dict, np.float32(3), np.int64(2), np.nan),
    *(np.zeros(3), np.zeros((0, 6)), np.array(5), np.array(["x"]), np.bool_(True)),
    *(np.full((2, 6), 9), np.full((1, 22), -1), range(3), lambda *_: None, 1j),
)
"""What may come into an argument only."""


def changed(value: Any, *, rng: np.random.Generator) -> Any:
    """Returns a copy of JSON's values with one of them changed, dropped or doubled."""
    copy = json.loads(json.dumps(value))
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, item in items:
            places.append((node, key))
            if isinstance(item, dict | list):
                walk(item)

    if not isinstance(copy, dict | list) or not copy:
        return VALUES[rng.integers(len(VALUES))]
    walk(copy)
    node, key = places[rng.integers(len(places))]
    way = rng.integers(8)
    if way == 0:
        del node[key]
    elif way == 1 and isinstance(node, list):
        node.insert(int(rng.integers(len(node) + 1)), node[key])
    elif way == 2 and isinstance(node, dict):
        node[str(VALUES[rng.integers(len(VALUES))])[:50]] = node[key]
    elif way == 3:
        other, place = places[rng.integers(len(places))]
        node[key] = json.loads(json.dumps(other[place]))
    else:
        node[key] = VALUES[rng.integers(len(VALUES))]
    return copy


def damaged(content: bytes, *, rng: np.random.Generator) -> bytes:
    """Returns bytes with some of them changed, cut, doubled or put in."""
    found = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        size = len(found) or 1
        place, length = int(rng.integers(size)), int(rng.integers(1, 40))
        way = rng.integers(6)
        if way == 0:
            del found[place:]
        elif way == 1:
            del found[place : place + length]
        elif way == 2:
            found[place:place] = found[place : place + length] * int(rng.integers(1, 5))
        elif way == 3:
            found[place:place] = rng.bytes(length)
        else:
            found[place : place + 1] = rng.bytes(1)
    return bytes(found)
