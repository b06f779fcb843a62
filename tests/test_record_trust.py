"""What records from elsewhere may not do: call functions, or take all memory."""

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_records import CELL, forge
from typer.testing import CliRunner

from hwnas_env.benchmark import Job, Limits, load_file, load_folder, validate
from hwnas_env.benchmark.export import export_records
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import load_or_run, run_jobs
from hwnas_env.cli import app
from hwnas_env.data.json_lines import LONGEST_LINE, MOST_LINES
from hwnas_env.errors import DataError, InvalidArgumentError
from hwnas_env.problems import own_costs

JOB = Job(CELL, "random", 0, Limits(4))
NAMES = ["planted:costs", "this:s", "sys:exit", "os:system", "builtins:input"]


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that notes who imports it, and that gives costs."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "planted.py").write_text(
        "import pathlib\n"
        "pathlib.Path(__file__).with_name('imported').touch()\n"
        "def costs(rows):\n"
        "    return rows.sum(axis=1) + 1.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr(own_costs, "NAMED", set())
    yield tmp_path / "modules" / "imported"
    sys.modules.pop("planted", None)


def records_that_name(costs: str, folder: Path) -> Path:
    """Writes a right record, and one whose request names costs."""
    load_or_run(JOB, folder)
    path = record_path(folder, Job(CELL, "random", 1, Limits(4)))
    load_or_run(Job(CELL, "random", 1, Limits(4)), folder)

    def named(header: dict[str, Any]) -> dict[str, Any]:
        header["request"]["task"]["costs"] = costs
        return header

    forge(path, 0, named)
    return path


@pytest.mark.parametrize("costs", NAMES)
def test_no_function_that_a_record_names_is_called(
    costs: str, planted: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "records"
    path = records_that_name(costs, folder)
    loaded = load_folder(folder)
    assert len(loaded.found) == 1
    assert f"allow its module, '{costs.partition(':')[0]}'" in loaded.faults[0]
    assert "allow its module" in validate(path).differences[0]
    assert "allow its module" in export_records(folder, tmp_path / "out").faults[0]
    for command in ("validate", "export"):
        words = ["bench", command, str(folder)]
        words += ["-o", str(tmp_path / "out")] if command == "export" else []
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 1
        assert "allow its module" in done.output
    assert not planted.exists()
    assert "planted" not in sys.modules


def test_who_allows_a_module_has_its_functions_called(
    planted: Path, tmp_path: Path
) -> None:
    path = records_that_name("planted:costs", tmp_path / "records")
    words = ["bench", "validate", str(path), "--allow"]
    assert "allow its module" in CliRunner().invoke(app, [*words, "other"]).output
    assert not planted.exists()
    done = CliRunner().invoke(app, [*words, "planted"])
    assert "allow its module" not in done.output
    assert planted.exists()


@pytest.mark.parametrize("named", ["None:costs", "planted:other"])
def test_a_study_that_goes_on_calls_only_the_function_that_it_has(
    named: str, planted: Path, tmp_path: Path
) -> None:
    """A forged record in the place of a job's own names another one."""
    (planted.parent / "None.py").write_text((planted.parent / "planted.py").read_text())
    costs = None if named.startswith("None") else "planted:costs"
    job = Job(replace(CELL, costs=costs), "random", 0, Limits(4))
    load_or_run(job, tmp_path / "records")
    path = record_path(tmp_path / "records", job)

    def other(header: dict[str, Any]) -> dict[str, Any]:
        header["request"]["task"]["costs"] = named
        return header

    forge(path, 0, other)
    planted.unlink(missing_ok=True)
    with pytest.raises(DataError, match="allow its module"):
        run_jobs([job], folder=tmp_path / "records")
    assert not planted.exists()


def test_allow_is_any_collection_of_names(planted: Path, tmp_path: Path) -> None:
    path = records_that_name("planted:costs", tmp_path)
    for wrong in ("planted", None, 5, [5]):
        for call in (load_folder, validate, load_file):
            with pytest.raises(InvalidArgumentError, match="names of modules"):
                call(path if call is not load_folder else tmp_path, allow=wrong)  # type: ignore[operator]
    assert not planted.exists()
    for allow in ({"planted"}, ["planted"], frozenset(["planted:costs"])):
        assert "allow" not in str(validate(path, allow=allow).differences)


@pytest.mark.parametrize(
    ("line", "count", "words"),
    [
        (b"\n", 2 * MOST_LINES, "lines, expected"),
        (b"{}\n", 2 * MOST_LINES, "lines, expected"),
        (b" ", 2 * LONGEST_LINE, "a line of"),
    ],
    ids=["ends", "objects", "blanks"],
)
def test_few_bytes_of_very_many_lines_are_a_fault_and_the_rest_is_kept(
    line: bytes, count: int, words: str, tmp_path: Path
) -> None:
    load_or_run(JOB, tmp_path)
    header = json.dumps({"schema": "hwnas_env.run.v3"}).encode() + b"\n"
    content = gzip.compress(header + line * count)
    assert len(content) < 1 << 17
    (tmp_path / "bomb.jsonl.gz").write_bytes(content)
    loaded = load_folder(tmp_path)
    assert len(loaded.found) == 1
    assert words in loaded.faults[0]
