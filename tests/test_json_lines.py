"""Lines of JSON: whole or cut off, finite or not, nested or not."""

import json
from pathlib import Path

import pytest

from hwnas_env.data.json_lines import Json, is_deeper, parse_line, read_lines
from hwnas_env.errors import DataMissingError, TruncatedFileError


@pytest.mark.parametrize(
    ("content", "lines", "rest"),
    [
        (b"", [], b""),
        (b"1", [], b"1"),
        (b"1\n", [b"1"], b""),
        (b"1\n\n[2", [b"1", b""], b"[2"),
        (b"\xff\n", [b"\xff"], b""),
    ],
)
def test_lines_are_whole_or_the_rest(
    content: bytes, lines: list[bytes], rest: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(content)
    assert read_lines(path) == (lines, rest)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError):
        read_lines(tmp_path / "none.jsonl")
    with pytest.raises(TruncatedFileError, match="is a folder"):
        read_lines(tmp_path)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1e999]"])
def test_numbers_beyond_json_are_refused_where_they_are_to_be_finite(text: str) -> None:
    for line in (text, text.encode()):
        parse_line(line)
        with pytest.raises(ValueError, match="is no number of JSON"):
            parse_line(line, finite=True)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1} 2', "nothing"])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    for line in (text, text.encode()):
        with pytest.raises(ValueError, match="line 1"):
            parse_line(line)


@pytest.mark.parametrize("depth", [0, 1, 5, 64])
@pytest.mark.parametrize("leaf", [1, "[[[[[[{{{{{{", [], {}, [1, 2]], ids=str)
def test_levels_are_counted_in_values_and_not_in_texts(leaf: Json, depth: int) -> None:
    value: Json = leaf
    for level in range(depth):
        value = [1, value, "}"] if level % 2 else {"a": value, "b": "]"}
    levels = depth + isinstance(leaf, (list, dict))
    text = json.dumps(value)
    for line in (text, text.encode()):
        assert not is_deeper(value, levels, text=line)
        if levels:
            assert is_deeper(value, levels - 1, text=line)
