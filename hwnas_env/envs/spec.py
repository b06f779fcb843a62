"""An environment's specification, with errors that say how to make it JSON."""

import dataclasses
import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec

from hwnas_env.errors import NotSerialisableError, shown
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.showing import line

LEDGER = "a ledger of this process"
"""What a specification says in the place of a ledger."""


class HWNASEnvSpec(EnvSpec):
    """An :class:`EnvSpec` whose ``to_json`` explains what cannot be written."""

    @classmethod
    def of(cls, spec: EnvSpec) -> "HWNASEnvSpec":
        """Copies a specification; NumPy numbers become Python's."""
        fields = {
            field.name: getattr(spec, field.name)
            for field in dataclasses.fields(EnvSpec)
            if field.init
        }
        fields["kwargs"] = {key: _plain(item) for key, item in spec.kwargs.items()}
        return cls(**fields)

    def __repr__(self) -> str:
        """Returns the id and the keywords."""
        words = [f"{key}={shown(item)}" for key, item in self.kwargs.items()]
        return line("EnvSpec", ", ".join([self.id, *words]))

    def __eq__(self, other: object) -> bool:
        """Compares all that both say: ``EnvSpec.from_json`` makes the other class."""
        if not isinstance(other, EnvSpec):
            return NotImplemented
        names = [field.name for field in dataclasses.fields(EnvSpec)]
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def to_json(self) -> str:
        """Writes the specification as JSON.

        Raises:
            NotSerialisableError: a keyword is a function or a table, and the message
                shows the string form that can be written; or a ledger was given.
        """
        refuse_objects(self.kwargs, "a specification in JSON")
        return super().to_json()


def _plain(value: Any) -> Any:
    """Returns a keyword as a specification keeps it.

    A specification holds no ledger, since whoever makes an environment of it copies its
    keywords: the words that stand for one are refused where a ledger is expected.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BudgetedProblem):
        return LEDGER
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def is_object(value: Any) -> bool:
    """Whether a keyword is a function or a table, which no text can carry."""
    if isinstance(value, Mapping):
        return any(map(is_object, value.values()))
    return callable(value) or isinstance(value, (np.ndarray, list))


def refuse_objects(keywords: Mapping[str, Any], where: str) -> None:
    """Raises if a keyword is a function or a table, which no text can carry.

    Raises:
        NotSerialisableError: names the keyword and shows its string form.
    """
    for key, value in keywords.items():
        if callable(value):
            module = getattr(value, "__module__", "package.module")
            name = getattr(value, "__qualname__", "function")
            plain = name.isidentifier() and module != "__main__"
            form = f"{module}:{name}" if plain else "package.module:function"
            message = (
                f"{key} is a function, which cannot go into {where}; give its string "
                f'form, {key}="{form}", and keep it in a module that can be imported'
            )
            raise NotSerialisableError(message)
        named = isinstance(value, str) and value == LEDGER
        if named or isinstance(value, BudgetedProblem):
            message = (
                f"{key} is {LEDGER}, which cannot go into {where}: each copy would "
                "count alone"
            )
            raise NotSerialisableError(message)
        table = isinstance(value, (np.ndarray, Mapping)) and is_object(value)
        if table:
            file = ', or a file, costs="costs.npz"' if key == "costs" else ""
            message = (
                f"{key} is a table, which cannot go into {where}; give a function by "
                f'its string form, {key}="package.module:function"{file}'
            )
            raise NotSerialisableError(message)
