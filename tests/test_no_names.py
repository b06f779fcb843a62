"""A search space's or a device's name stands only in its own room or file."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import hwnas_env
from hwnas_env.devices import DEVICES
from hwnas_env.spaces import SEARCH_SPACES

ROOT = Path(hwnas_env.__file__).parent

EXEMPT = {
    "benchmark/few_shot.py": "a published experiment",
    "benchmark/reproduce.py": "a published experiment",
    "benchmark/protocols.py": "published hyperparameters",
    "benchmark/splits.py": "published splits of devices",
    "benchmark/suites.py": "literal lists of tasks",
    "envs/registration.py": "the literal list of the MultiDevice-v0 ids",
    "moved.py": "modules of version 0.1",
}
"""Literal lists and published protocols; nothing of it is imported by an engine."""

FOLDERS = ("data/formats/", *(f"spaces/{name}/" for name in SEARCH_SPACES))
"""Readers of one named file format, and the rooms."""

WORDS = [
    word
    for thing in (*SEARCH_SPACES.values(), *DEVICES.values())
    for word in (thing.name, thing.label)
]
NAMES = re.compile("|".join(map(re.escape, WORDS)), re.IGNORECASE)

PUBLISHED = re.compile(r"\bfbnet_loss\b|Tan et al\., MnasNet, CVPR 2019")
"""A reward's name is its paper's, and a paper's title its own."""

QUOTED = re.compile(r"``[^`]*``|\"[^\"]*\"|'[^']*'")
"""An example in a docstring or in help stands in quotes."""


def _files() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in EXEMPT and not name.startswith(FOLDERS):
            yield name, path.read_text(encoding="utf-8")


def _docstrings(text: str) -> dict[int, int]:
    """First and last lines of the docstrings, attributes' included."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[node.lineno] = node.end_lineno or node.lineno
    return found


def _prose(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines of a docstring without examples: in quotes, or of a doctest."""
    example = False
    for offset, line in enumerate(lines):
        line = line.replace('"""', "")
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            yield offset, QUOTED.sub("", PUBLISHED.sub("", line))


def names_in(text: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a module that name a space or a device."""
    lines, docs = text.splitlines(), _docstrings(text)
    inside = {n for a, b in docs.items() for n in range(a, b + 1)}
    for first, last in docs.items():
        for offset, line in _prose(lines[first - 1 : last]):
            if NAMES.search(line):
                yield first + offset, line.strip()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.start[0] in inside:
            continue
        if token.type in (tokenize.NAME, tokenize.STRING, tokenize.COMMENT) and (
            NAMES.search(PUBLISHED.sub("", token.string))
        ):
            yield token.start[0], token.line.strip()


def test_no_module_names_a_space_or_a_device_outside_its_room() -> None:
    found = [
        f"{name}:{line}: {text}"
        for name, content in _files()
        for line, text in names_in(content)
    ]
    assert found == []


def test_the_search_for_names_finds_them() -> None:
    assert list(names_in('x = 1\ny = "HWNAS-FBNet-FPGA-v0"\n')) == [
        (2, 'y = "HWNAS-FBNet-FPGA-v0"')
    ]
    assert list(names_in("def edgetpu_latency(): ...\n"))
    assert list(names_in('"""On the fpga alone."""\n'))
    assert not list(names_in('"""On "fpga", for example."""\n'))
    assert not list(names_in("def fbnet_loss(): ...\n"))
