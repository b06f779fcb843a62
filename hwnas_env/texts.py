"""Text from elsewhere, made safe to show, and streams that cannot encode all of it.

Names, errors and files of others may hold anything: control characters that a terminal
obeys, letters that no file holds, megabytes. Whatever shows them passes it through
:func:`plain` first; data files keep what came.
"""

import codecs
import io
from typing import Any, TextIO

LONGEST = 1000
"""Letters of a text that are shown at most; a longer one is cut in its middle."""


def plain(text: str, *, longest: int = LONGEST) -> str:
    r"""Returns a text as one line of letters that print, cut where it is long.

    White space of any kind becomes a space; what does not print is escaped.

    Args:
        text: from anywhere.
        longest: letters of it that are kept.

    Example:
        >>> print(plain("red \x1b[31m\nnext"), plain("x" * 3000, longest=8))
        red \x1b[31m next xxxxxx [... 2,992 letters ...] xx
    """
    if len(text) > longest:
        cut, end = len(text) - longest, longest // 4
        start = longest - end
        text = f"{text[:start]} [... {cut:,} letters ...] {text[len(text) - end :]}"
    return text if text.isprintable() else "".join(map(_visible, text))


FORMULA = ("=", "+", "-", "@")
"""What a formula begins with in a spreadsheet, which would run it."""


def no_formula(text: str) -> str:
    """Returns a text for a csv file: in one line, with "'" before what is a formula.

    Example:
        >>> no_formula("=1+1"), no_formula("a = 1"), no_formula("-")
        ("'=1+1", 'a = 1', '-')
    """
    words = plain(text, longest=10 * LONGEST)
    formula = len(words) > 1 and words.lstrip().startswith(FORMULA)
    return f"'{words}" if formula else words


def counted(count: int, noun: str) -> str:
    """Writes a number of things.

    Example:
        >>> counted(1, "task"), counted(1200, "run")
        ('1 task', '1,200 runs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def write(text: str, stream: TextIO | None) -> None:
    """Writes a text to a stream, with "?" for letters that its encoding lacks.

    Args:
        text: to write.
        stream: such as ``sys.stdout``, which is None where a program has none; anything
            with a method ``write``. To a closed one nothing is written.
    """
    if stream is None or getattr(stream, "closed", False):
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError):
        encoding = "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    if hasattr(stream, "flush"):
        stream.flush()


def tolerate(stream: Any) -> None:
    """Lets a stream write "?" for letters that its encoding lacks, from now on.

    Args:
        stream: such as ``sys.stdout``; one that is no text file stays as it is.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else ascii(letter)[1:-1]
