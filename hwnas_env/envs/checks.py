"""Checks of the keywords that environments take and problems do not."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from hwnas_env.arguments import check_names
from hwnas_env.devices import Device, devices_of, get_device
from hwnas_env.engines.space import SearchSpace
from hwnas_env.envs.spec import LEDGER
from hwnas_env.errors import (
    InvalidArgumentError,
    UnknownKeywordError,
    shown,
    unknown_name,
)
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem


def check_autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """Returns an autoreset mode, by itself, its name or Gymnasium's value.

    Raises:
        UnknownNameError: there is no such mode.
    """
    for known in AutoresetMode:
        if mode is known or (
            isinstance(mode, str) and mode in (known.name, known.value)
        ):
            return known
    raise unknown_name(
        mode, [known.name for known in AutoresetMode], what="autoreset mode"
    )


def check_keywords(names: Iterable[str], valid: Iterable[str], *, what: str) -> None:
    """Raises if a keyword is none of an environment's.

    Args:
        names: the keywords that came.
        valid: those that there are.
        what: whose they are, as words ("a vector").

    Raises:
        InvalidArgumentError: what ``gym.make`` itself takes, for single environments.
        UnknownKeywordError: another; the message names the nearest, or says of steps
            that modes have them by themselves.
    """
    known = set(valid)
    length = 'the length of an episode is its mode\'s, and mode="mutate" takes horizon'
    for name in names:
        if name in known:
            continue
        said = f"unknown keyword of {what} {shown(name)}"
        if name in inspect.signature(gym.make).parameters:
            message = (
                f"{said}: gym.make takes it for single environments, as with "
                f'vectorization_mode="sync"; {length}'
            )
            raise InvalidArgumentError(message)
        if "steps" in name:
            message = f"{said}: {length}"
            raise UnknownKeywordError(message)
        message = str(unknown_name(name, sorted(known), what=f"keyword of {what}"))
        raise UnknownKeywordError(message)


def check_not_drawn(render_mode: Any) -> None:
    """Raises if a vector is asked to draw.

    Raises:
        InvalidArgumentError: it is.
    """
    if render_mode is not None:
        message = (
            f"render_mode {shown(render_mode)}: a vector is not drawn; make one "
            "environment, or give vectorization_mode='sync'"
        )
        raise InvalidArgumentError(message)


def check_seeds(seed: Any, count: int) -> list[int | None]:
    """Returns the seeds of a vector's rows.

    Args:
        seed: one number, of row 0, or one a row, or None.
        count: rows.

    Raises:
        InvalidArgumentError: another number of seeds, or something else.
    """
    if isinstance(seed, np.ndarray):
        seed = seed.tolist()
    listed = isinstance(seed, Sequence) and not isinstance(seed, str)
    seeds = list(seed) if listed else [seed]
    whole = all(one is None or _is_seed(one) for one in seeds)
    if not whole or (listed and len(seeds) != count):
        expected = f"an int of at least 0, or {count} of them"
        message = f"seed: expected {expected}, got {shown(seed)}"
        raise InvalidArgumentError(message)
    if listed or seed is None:
        return [None if one is None else int(one) for one in seeds]
    return [int(seed) + row for row in range(count)]


def check_seed(seed: Any) -> int | None:
    """Returns the seed of one environment.

    Raises:
        InvalidArgumentError: it is no integer of at least 0.
    """
    if seed is None:
        return None
    if not _is_seed(seed):
        message = f"seed: expected an int of at least 0, got {shown(seed)}"
        raise InvalidArgumentError(message)
    return int(seed)


def _is_seed(seed: Any) -> bool:
    return isinstance(seed, (int, np.integer)) and bool(seed >= 0)


def check_ledger(ledger: Any) -> None:
    """Raises if what was given as a ledger is none.

    Raises:
        InvalidArgumentError: as its name says.
    """
    if isinstance(ledger, BudgetedProblem):
        return
    message = f"ledger: expected a BudgetedProblem, got {shown(ledger)}"
    if isinstance(ledger, str) and ledger == LEDGER:
        message += (
            "; a specification holds none, since each copy would count alone: give it "
            "again, as in gym.make(env.spec, ledger=ledger)"
        )
    raise InvalidArgumentError(message)


def check_asked(ledger: BudgetedProblem, asked: Mapping[str, tuple[Any, Any]]) -> None:
    """Raises if a keyword asks for something else than a ledger's problem.

    Args:
        ledger: whose problem is searched.
        asked: each keyword's value and its default, which asks for nothing.

    Raises:
        InvalidArgumentError: a keyword contradicts it.
    """
    problem = ledger.problem
    held = {
        "space": problem.space.name,
        "device": problem.device.name,
        "dataset": problem.dataset,
        "metric": problem.metric,
        "source": problem.source,
        "accuracy": problem.accuracy,
        "costs": "its problem's",
        "max_queries": ledger.max_queries,
    }
    for name, (value, default) in asked.items():
        plain = isinstance(value, (str, int, float, np.number, type(None)))
        if not plain or value not in (default, held[name]):
            message = (
                f"ledger: its {name} is {held[name]}, and {shown(value)} was asked "
                "for; give the ledger alone"
            )
            raise InvalidArgumentError(message)


def require_metric(space: str, devices: Sequence[Device], metric: Any) -> None:
    """Raises if a device has no such metric: a budget on it needs it on all.

    Args:
        space: the search space's name.
        devices: those of an environment.
        metric: its name, or None for the first that all share.

    Raises:
        InvalidArgumentError: names those that have none, and those that have it.
    """
    if metric is not None and not isinstance(metric, str):
        message = f"metric: expected a name, got {shown(metric)}"
        raise InvalidArgumentError(message)
    if metric is None:
        return
    lacking = [d.name for d in devices if metric not in d.metrics_in(space)]
    having = [d.name for d in devices_of(space) if metric in d.metrics_in(space)]
    if lacking and having:
        message = (
            f"metric {metric}: {', '.join(lacking)} has none; devices that have: "
            f"{', '.join(having)}"
        )
        raise InvalidArgumentError(message)


def refuse_accuracy(problem: Problem) -> None:
    """Raises where an environment must not, or cannot, answer with an accuracy.

    Raises:
        InvalidArgumentError: test accuracy, or a run that some networks lack.
    """
    name, lacking = problem.accuracy, problem.model.networks_without_run
    if name.startswith("test-"):
        message = (
            f"accuracy {name}: a search never sees test accuracy; score what it chose "
            "with make_problem(..., accuracy=...).evaluate"
        )
        raise InvalidArgumentError(message)
    if lacking:
        message = (
            f"accuracy {name}: {lacking} of {problem.space.size} networks have fewer "
            "runs; 'mean' averages those there are, 'sampled' draws among them"
        )
        raise InvalidArgumentError(message)


def choose_devices(
    device: str | None,
    devices: Sequence[str] | str | None,
    test_devices: Sequence[str],
    *,
    ledger: Any,
) -> tuple[list[Device], int]:
    """Returns an environment's devices, and how many of them, the first, are drawn.

    Args:
        device: the only one, or None.
        devices: in its place, those to draw from.
        test_devices: others that are never drawn.
        ledger: the device of one that was given need not be registered.

    Raises:
        UnknownNameError: a name that does not exist; the message names the nearest.
        InvalidArgumentError: none, one and several, or one twice.
    """
    held = check_names(test_devices, what="test_devices", least=0)
    if device is not None and (devices is not None or held):
        message = (
            "device and devices: give one; a MultiDevice environment takes "
            'an episode\'s by reset(options={"device": name})'
        )
        raise InvalidArgumentError(message)
    drawn = (device,) if device is not None else check_names(devices, what="devices")
    targets = [_device(name, ledger) for name in (*drawn, *held)]
    names = [target.name for target in targets]
    both = sorted({*names[: len(drawn)]} & {*names[len(drawn) :]})
    if both:
        others = [name for name in names[: len(drawn)] if name not in both]
        message = (
            f"test_devices: {shown(both)} is drawn already; name those to "
            f"train on too, as in devices={others}"
        )
        raise InvalidArgumentError(message)
    if len(set(names)) < len(names):
        message = f"devices: one is named twice in {shown(names)}"
        raise InvalidArgumentError(message)
    return targets, len(drawn)


def _device(name: str, ledger: Any) -> Device:
    """Returns a device by its name; that of a given ledger need not be registered."""
    if isinstance(ledger, BudgetedProblem) and name == ledger.problem.device.name:
        return ledger.problem.device
    return get_device(name)


def numbers_of(space: SearchSpace, decisions: Any) -> Any:
    """Returns decisions of a prefix with numbers for the names among them.

    Args:
        space: whose positions they are.
        decisions: names of operations, numbers, or both; or an architecture's name,
            which has all decisions. Anything else is returned as it came.

    Raises:
        UnknownNameError: a position has no such operation.
        InvalidGenotypeError: the text is no architecture's name.
    """
    if isinstance(decisions, str):
        return space.encode(decisions).tolist()
    if not isinstance(decisions, Sequence) or isinstance(decisions, bytes):
        return decisions
    count = min(len(decisions), space.length)  # whoever checks says that it is too long
    first = [
        space.operation(one, position=place) if isinstance(one, str) else one
        for place, one in enumerate(decisions[:count])
    ]
    return [*first, *decisions[count:]]
