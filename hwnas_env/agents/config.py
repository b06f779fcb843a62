"""What the configurations of agents share: a root, and checks with clear errors."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hwnas_env import arguments
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.showing import LONGEST, Outlined, cut

ConfigT = TypeVar("ConfigT", bound="Config")

if TYPE_CHECKING:  # with a default, so that types may say Agent without brackets
    import typing_extensions

    ConfigT_co = typing_extensions.TypeVar(
        "ConfigT_co", bound="Config", covariant=True, default="Config"
    )
else:
    ConfigT_co = TypeVar("ConfigT_co")
"""The class of an agent's configuration, in brackets behind the name of its base."""


@dataclass(frozen=True)
class Config(Outlined):
    """Holds an agent's hyperparameters; values are numbers, flags, names and tuples.

    An agent without hyperparameters uses this class itself.
    """

    def __repr__(self) -> str:
        """Returns the values that are not the defaults."""
        usual = {field.name: field.default for field in dataclasses.fields(self)}
        values = self.as_dict().items()
        others = [f"{name}={shown(v)}" for name, v in values if v != usual[name]]
        return cut(f"{type(self).__name__}({', '.join(others)})", LONGEST)

    @classmethod
    def from_dict(cls: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
        """Returns a configuration from plain values, as JSON holds them.

        Args:
            values: fields by name; what is missing keeps its default. Lists become
                tuples.

        Raises:
            UnknownNameError: no field has that name.
            InvalidArgumentError: a value is out of range.
        """
        fields = [field.name for field in dataclasses.fields(cls)]
        for name in arguments.check_type(values, Mapping, what=cls.__name__):
            arguments.check_name(name, fields, what=f"field of {cls.__name__}")
        plain = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**plain)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON-able values."""
        return dataclasses.asdict(self)


def check_whole(
    config: Config, *names: str, at_least: int = 1, at_most: float = math.inf
) -> None:
    """Checks that fields are whole numbers within bounds.

    Raises:
        InvalidArgumentError: a field is not.
    """
    for name in names:
        value = getattr(config, name)
        if not arguments.is_whole(value) or not at_least <= value <= at_most:
            bound = f" and at most {at_most}" if at_most < math.inf else ""
            raise wrong_value(
                config, name, f"a whole number of at least {at_least}{bound}"
            )


def check_number(
    config: Config,
    *names: str,
    at_least: float = math.ulp(0.0),
    at_most: float = math.inf,
) -> None:
    """Checks that fields are finite numbers within bounds, by default positive ones.

    Raises:
        InvalidArgumentError: a field is not.
    """
    for name in names:
        value = getattr(config, name)
        number = arguments.as_number(value)
        if not math.isfinite(number) or not at_least <= number <= at_most:
            low = f"of at least {at_least:g}" if at_least == 0 else "above 0"
            high = f" and at most {at_most:g}" if at_most < math.inf else ""
            raise wrong_value(config, name, f"a number {low}{high}")


def check_flag(config: Config, *names: str) -> None:
    """Checks that fields are True or False.

    Raises:
        InvalidArgumentError: a field is not.
    """
    for name in names:
        if not isinstance(getattr(config, name), bool):
            raise wrong_value(config, name, "True or False")


def check_name(config: Config, name: str, *, valid: Sequence[str]) -> None:
    """Checks that a field is one of some names.

    Raises:
        UnknownNameError: it is not.
    """
    what = f"{name} of {type(config).__name__}"
    arguments.check_name(getattr(config, name), valid, what=what)


def wrong_value(config: Config, name: str, expected: str) -> InvalidArgumentError:
    """Builds the error for a field: what was expected, and what came."""
    came = getattr(config, name)
    return InvalidArgumentError(
        f"{type(config).__name__}.{name}: expected {expected}, got {shown(came)}"
    )
