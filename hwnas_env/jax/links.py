"""Links, the functions behind sums, for sums in limbs: their values are pairs."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from hwnas_env.engines.links import Inverse, Linear, Link, Logistic, Saturating
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.jax import pairs
from hwnas_env.jax.pairs import Pair, split

_NO_FLOOR = -1e30
"""A floor that no sum reaches stands for none, so that pairs stay finite."""

_SMALLEST = 1e-30
"""Less than any quantity, so that no quotient is infinite or negative."""


class LinearLink(NamedTuple):
    """See :class:`hwnas_env.engines.links.Linear`: pairs ``(2,)``, in medium budgets.

    Attributes:
        floor: smallest value.
        factor: value of one unit of the grid.
    """

    floor: Any
    factor: Any


class SaturatingLink(NamedTuple):
    """See :class:`hwnas_env.engines.links.Saturating`.

    Attributes:
        unit: score of one unit of the grid.
        ceiling: over 1.
        span: over 1.
    """

    unit: Any
    ceiling: Any
    span: Any


class LogisticLink(NamedTuple):
    """See :class:`hwnas_env.engines.links.Logistic`.

    Attributes:
        unit: score of one unit of the grid.
        ceiling: over 1.
    """

    unit: Any
    ceiling: Any


class InverseLink(NamedTuple):
    """See :class:`hwnas_env.engines.links.Inverse`.

    Attributes:
        link: of the quantity whose sums are negated.
        factor: over 1.
    """

    link: Any
    factor: Any


@dataclass(frozen=True)
class OwnLink:
    """A link of a space's own, a dataclass of numbers that says its form in pairs.

    Its class has a static method ``in_pairs(arithmetic, x, numbers)``: given this
    package's ``jax.pairs``, the sum, and its fields by name, each as a pair, it returns
    the value as a pair.

    Attributes:
        unit: sum of one unit of the grid.
        numbers: the fields, by name.
        factor: what values are multiplied by.
        kind: the class, which is not traced.
    """

    unit: Any
    numbers: dict[str, Any]
    factor: Any
    kind: type


jax.tree_util.register_dataclass(
    OwnLink, data_fields=["unit", "numbers", "factor"], meta_fields=["kind"]
)


class MixedLink(NamedTuple):
    """Links of devices that are not of one kind.

    Attributes:
        which: number of the branch that is the device's own.
        branches: one link a kind; its numbers mean nothing where it is not the own one.
    """

    which: Any
    branches: tuple[Any, ...]


JaxLink: TypeAlias = (
    LinearLink | SaturatingLink | LogisticLink | InverseLink | OwnLink | MixedLink
)


def mix(links: Sequence[JaxLink]) -> list[JaxLink]:
    """Returns the links of devices, one each, in one shape."""
    kinds = list(dict.fromkeys(map(jax.tree.structure, links)))
    if len(kinds) == 1:
        return list(links)
    places = [kinds.index(jax.tree.structure(link)) for link in links]
    firsts = [links[places.index(number)] for number in range(len(kinds))]
    mixed: list[JaxLink] = []
    for link, place in zip(links, places, strict=True):
        branches = [*firsts[:place], link, *firsts[place + 1 :]]
        mixed.append(MixedLink(np.int32(place), tuple(branches)))
    return mixed


def convert_link(link: Link, *, unit: float, over: float = 1.0) -> JaxLink:
    """Returns a link in the form that :func:`value` takes.

    Args:
        link: one of ``hwnas_env.engines.links``, or with a form in pairs: see
            :class:`OwnLink`.
        unit: what one unit of the sums' grid is.
        over: what values are divided by.

    Raises:
        InvalidArgumentError: a link whose form in pairs is not known.
    """
    if isinstance(link, Linear):
        factor = link.scale / link.unit / over
        floor = max(link.floor * factor, _NO_FLOOR)
        return LinearLink(_pair(floor), _pair(unit * factor))
    if isinstance(link, Saturating):
        return SaturatingLink(
            _pair(unit), _pair(link.ceiling / over), _pair(link.span / over)
        )
    if isinstance(link, Logistic):
        return LogisticLink(_pair(unit), _pair(link.ceiling / over))
    if isinstance(link, Inverse):
        inner = convert_link(link.link, unit=unit)
        return InverseLink(inner, _pair(link.factor / over))
    kind: Any = type(link)
    if hasattr(kind, "in_pairs"):
        fields = [field.name for field in dataclasses.fields(kind)]
        numbers = {name: _pair(getattr(link, name)) for name in fields}
        return OwnLink(_pair(unit), numbers, _pair(1.0 / over), kind)
    message = (
        f"{kind.__name__}: expected a link of hwnas_env.engines.links, or one whose "
        "class has in_pairs, its form for jax"
    )
    raise InvalidArgumentError(message)


def value(link: JaxLink, total: Pair) -> Pair:
    """Returns a link's value, a pair.

    Args:
        link: with numbers of one device.
        total: the sum in units of its grid, a pair.
    """
    if isinstance(link, LinearLink):
        return pairs.maximum(pairs.multiply(total, _of(link.factor)), _of(link.floor))
    if isinstance(link, InverseLink):
        inner = value(link.link, pairs.negative(total))
        least = pairs.constant(_SMALLEST)
        return pairs.divide(_of(link.factor), pairs.maximum(inner, least))
    if isinstance(link, OwnLink):
        numbers = {name: _of(pair) for name, pair in link.numbers.items()}
        total = pairs.multiply(total, _of(link.unit))
        found = link.kind.in_pairs(pairs, total, numbers)  # type: ignore[attr-defined]
        return pairs.multiply(found, _of(link.factor))
    if isinstance(link, MixedLink):
        found, *others = (value(branch, total) for branch in link.branches)
        for number, other in enumerate(others, start=1):
            found = pairs.where(link.which == number, other, found)
        return found
    fall = pairs.exp(pairs.negative(pairs.multiply(total, _of(link.unit))))
    if isinstance(link, SaturatingLink):
        drop = pairs.multiply(_of(link.span), fall)
        return pairs.add(_of(link.ceiling), pairs.negative(drop))
    return pairs.divide(_of(link.ceiling), pairs.add(fall, pairs.constant(1.0)))


def _pair(number: float) -> Any:
    return np.stack(split(number))


def _of(pair: Any) -> Pair:
    return pair[..., 0], pair[..., 1]
