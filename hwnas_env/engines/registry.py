"""Named things under two keys: what search spaces and devices are kept in."""

import bisect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from hwnas_env.arguments import check_name
from hwnas_env.errors import InvalidArgumentError, TakenNameError, shown
from hwnas_env.showing import line, some

SEVERAL, DRAWN = "MultiDevice", "RandomDevice"
"""Labels of environments of several devices, and of drawn ones."""

RESERVED = MappingProxyType({SEVERAL: "several devices", DRAWN: "drawn devices"})
"""Labels that nothing else may have, and what they stand for."""

FORMS = MappingProxyType(
    {
        "name": re.compile(r"[a-z][a-z0-9_]{0,63}"),
        "label": re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}"),
    }
)
"""What names and labels are. A label stands in environment ids: no ``-``, no blank."""

LABEL_WITH_DASHES = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_.]")
"""A label that comes last in ids, behind one without: it may have a ``-`` inside."""


def check_words(thing: "Named", *, dashes: bool = False) -> None:
    """Raises unless a thing has a name and a label that ids can hold.

    Args:
        thing: with a name and a label.
        dashes: whether its label may have a ``-``.

    Raises:
        InvalidArgumentError: what came, and what was expected.
    """
    for key, form in FORMS.items():
        value = getattr(thing, key)
        if dashes and key == "label" and isinstance(value, str) and "-" in value:
            form = LABEL_WITH_DASHES
        if not isinstance(value, str) or not form.fullmatch(value):
            expected = f"letters, digits and _, as {form.pattern}"
            message = f"{key}: expected {expected}, got {shown(value)}"
            raise InvalidArgumentError(message)
        for label, meaning in RESERVED.items():
            if value.lower() == label.lower():
                message = f"{key}: {label} stands for {meaning}"
                raise InvalidArgumentError(message)


class Named(Protocol):
    """Something with a name, and a label for environment ids."""

    @property
    def name(self) -> str:
        """The key."""

    @property
    def label(self) -> str:
        """The word in environment ids."""


class Listed(ABC):
    """Stands in a registry for a thing whose name and label alone are read yet."""

    def __init__(self, name: str, label: str) -> None:
        """Knows what ids are made of."""
        self.name, self.label = name, label

    @property
    def whole(self) -> Any:
        """The thing itself, which is read the first time that it is asked for."""
        kept = vars(self)  # the same thing for every thread, and no lock in an import
        if "_whole" not in kept:
            kept.setdefault("_whole", self.read())
        return kept["_whole"]

    @abstractmethod
    def read(self) -> Any:
        """Reads the thing."""


Thing = TypeVar("Thing", bound=Named)


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Things by name, in an order of their own; names and labels are unique.

    Reading is a mapping's, and gives whole things; :meth:`listed` gives what is known
    without reading any. :meth:`add` and :meth:`remove` are for who registers.
    """

    def __init__(
        self, what: str, *, order: Callable[[Any], Any], dashes: bool = False
    ) -> None:
        """Makes an empty registry.

        Args:
            what: what it holds, as a noun for messages ("device").
            order: the key by which things are sorted.
            dashes: whether labels may have a ``-``.
        """
        self._what, self._order, self._dashes = what, order, dashes
        self._things: dict[str, Thing | Listed] = {}
        self._taken: set[str] = set()

    def __getitem__(self, name: str) -> Thing:
        """Returns the thing of that name, or raises KeyError."""
        thing = self._things[name]
        return thing.whole if isinstance(thing, Listed) else thing

    def __contains__(self, name: object) -> bool:
        """Whether there is a thing of that name."""
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        """Yields the names in their order."""
        return iter(list(self._things))

    def __repr__(self) -> str:
        """Returns how many things there are, and the first names."""
        return line(f"{len(self)} {self._what}s:", some(self))

    def __len__(self) -> int:
        """Returns how many things there are."""
        return len(self._things)

    def listed(self) -> list[Any]:
        """Returns the things in their order, those that are not read as ``Listed``."""
        return list(self._things.values())

    def known(self, name: str) -> Any:
        """Returns the thing of that name, or what is ``Listed`` where it is not read.

        Raises:
            KeyError: there is none.
        """
        return self._things[name]

    def add(self, thing: Thing | Listed, *, same: bool = False) -> None:
        """Registers a thing.

        Args:
            thing: with a name, a label and what the order needs.
            same: whether it is the one that is registered already, which is nothing.

        Raises:
            InvalidArgumentError: no environment id can hold its name or label.
            TakenNameError: another one has that name or that label.
        """
        if self.check(thing, ours={thing.name} if same else set()):
            return
        things = list(self._things.values())
        bisect.insort(things, thing, key=self._order)
        self._things = {one.name: one for one in things}
        self._taken |= _words(thing)

    def check(self, thing: Thing | Listed, *, ours: Collection[str] = ()) -> bool:
        """Raises if a thing could not be added; returns whether it is there already.

        Args:
            thing: with a name and a label.
            ours: names of things that may be there.

        Raises:
            InvalidArgumentError: no environment id can hold its name or label.
            TakenNameError: another one has that name or that label.
        """
        check_words(thing, dashes=self._dashes)
        if self.is_free(thing):
            return False
        for other in self._things.values():
            for key in ("name", "label"):
                value = getattr(thing, key)
                if value.lower() in (other.name.lower(), other.label.lower()):
                    if other.name == thing.name and other.name in ours:
                        return True
                    message = (
                        f"{self._what} {thing.name!r}: the {key} {value!r} is taken by "
                        f"the {self._what} {other.name!r}; unregister that first, or "
                        "choose another"
                    )
                    raise TakenNameError(message)
        return False

    def is_free(self, thing: Thing | Listed) -> bool:
        """Whether nothing has a thing's name or label."""
        return not _words(thing) & self._taken

    def remove(self, name: str) -> None:
        """Takes a thing out, by name or label.

        Raises:
            UnknownNameError: there is none; the message names the nearest.
        """
        found = self._things[self.key(name)]
        self._things = {k: v for k, v in self._things.items() if k != found.name}
        self._taken -= _words(found)

    def find(self, name: Any) -> Thing:
        """Returns the thing of that name or label.

        Raises:
            UnknownNameError: there is none; the message names the nearest.
        """
        return self[self.key(name)]

    def key(self, name: Any) -> str:
        """Returns the name of the thing of that name or label.

        Raises:
            UnknownNameError: there is none; the message names the nearest.
        """
        labels = {thing.label: thing.name for thing in self._things.values()}
        key = labels.get(name, name) if isinstance(name, str) else name
        return check_name(key, self._things, what=self._what)


def _words(thing: Named) -> set[str]:
    """Returns a thing's name and label as nothing else may be called."""
    return {thing.name.lower(), thing.label.lower()}
