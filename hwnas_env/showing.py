"""How things show themselves: one line, a table in a notebook, a frame of pandas."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

import numpy as np

from hwnas_env.errors import shown
from hwnas_env.extras import load_extra
from hwnas_env.texts import plain

LONGEST = 180
"""Letters of a line at most."""

ROWS = 10
"""Rows of a notebook's table; how many more there are stands below it."""

Value = TypeVar("Value")


def line(kind: str, words: str) -> str:
    """Returns ``<kind words>`` as one line, cut at its end where it is long.

    Example:
        >>> line("Problem", "NASBench201 on EdgeGPU"), len(line("Run", "x" * 300))
        ('<Problem NASBench201 on EdgeGPU>', 187)
    """
    return f"<{kind} {cut(words, LONGEST)}>"


def cut(words: str, longest: int) -> str:
    """Returns the beginning of a printable text, with … where it was longer."""
    shown = plain(words[: 10 * longest], longest=10 * longest)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def number(value: float) -> str:
    """Returns a number with four digits, as people read it."""
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def some(names: Iterable[str], *, most: int = 6) -> str:
    """Returns the first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def html_table(columns: Mapping[str, Sequence[Any]], *, title: str = "") -> str:
    """Returns columns as an HTML table of at most 10 rows.

    Args:
        columns: values by title, as many in each; what is text is escaped.
        title: stands above it.
    """
    import html  # an import of the package does without

    count = max(map(len, columns.values()), default=0)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    rows = [
        "".join(f"<td>{html.escape(_cell(one[row]))}</td>" for one in columns.values())
        for row in range(min(count, ROWS))
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    more = f"<p>and {count - ROWS:,} more rows</p>" if count > ROWS else ""
    above = f"<p>{html.escape(title)}</p>" if title else ""
    table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f"{above}<table>{table}</table>{more}"


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else number(float(value))
    return cut(str(value), 400)


class Outlined:
    """A dataclass whose line has short fields alone, and of arrays their shapes."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Keeps the line, which ``dataclass`` would write anew in each class."""
        super().__init_subclass__(**keywords)
        cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """Returns the class and what its fields hold."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))  # type: ignore[arg-type]
        words = (f"{name} {_outline(value)}" for name, value in values)
        return line(type(self).__name__, ", ".join(words))


def _outline(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, (str, int, float)):
        return shown(value)
    return type(value).__name__


class Columned(ABC):
    """Holds columns of one length: a table in notebooks, a frame with pandas."""

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Returns the columns by their names: arrays or lists of one length."""

    def to_frame(self) -> Any:
        """Returns the columns as a ``pandas.DataFrame``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = load_extra("pandas", extra="pandas", purpose="to_frame")
        return pandas.DataFrame(self.columns())

    def _repr_html_(self) -> str:
        return html_table(self.columns(), title=repr(self))


class ByName(Mapping[str, Value], Generic[Value]):
    """A mapping that cannot be changed, and that shows its names alone.

    Example:
        >>> ByName({"a": 1, "b": 2}, what="letters")
        <2 letters: a, b>
    """

    def __init__(self, values: Mapping[str, Value], *, what: str) -> None:
        """Keeps no copy: what becomes of the values is seen.

        Args:
            values: by name.
            what: their noun, in the plural.
        """
        self._values, self._what = values, what

    def __getitem__(self, name: str) -> Value:
        """Returns the value of that name, or raises KeyError."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Yields the names in their order."""
        return iter(self._values)

    def __len__(self) -> int:
        """Returns how many there are."""
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        """Whether there is one of that name."""
        return name in self._values

    def __repr__(self) -> str:
        """Returns how many there are, and the first names."""
        return line(f"{len(self)} {self._what}:", some(self))


class Names(tuple[Value, ...]):
    """Names, or things that have one, which show the first of them.

    Example:
        >>> Names(f"n{i}" for i in range(9))
        <9 names: n0, n1, n2, n3, n4, n5 and 3 more>
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Returns how many there are, and the first."""
        names = (getattr(one, "__name__", str(one)) for one in self)
        return line(f"{len(self)} names:", some(names))
