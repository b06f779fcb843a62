"""The audit of a user's own rows: what it sees, and which rows it names."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hwnas_env.cli import app
from hwnas_env.devices import DEVICES
from hwnas_env.errors import ForeignFileError, TakenNameError
from hwnas_env.fitting.rows import AGAIN, BUDGETABLE, KNOWN_TITLES
from hwnas_env.fitting.todo import COLUMNS, TABLE
from hwnas_env.metrics import METRICS
from hwnas_env.problems.audit import ASIDE, file_audit
from hwnas_env.spaces import SEARCH_SPACES

CELLS = SEARCH_SPACES["nasbench201"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", "audit", *arguments])


def answer(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def few_rows(path: Path, *, like: str, order: bool = False) -> Path:
    """400 rows like a device's, in any order, with a band of -20 % over 80 of them."""
    rng = np.random.default_rng(0)
    indices = rng.choice(CELLS.size, 400, replace=False)
    costs = CELLS.costs(DEVICES[like], "cifar10").values["latency_ms"][indices]
    costs *= rng.normal(1.0, 0.01, 400)
    costs[100:180] *= 0.8
    costs[300] *= 3.0
    times = 1.7e9 + 0.25 + 10.0 * np.arange(400)
    lines = [
        f"{index},{cost},{time}"
        for index, cost, time in zip(indices, costs, times.tolist(), strict=True)
    ]
    if order:
        lines = [lines[place] for place in rng.permutation(400)]
    titles = "index,latency_ms,order" if order else "index,latency_ms,number"
    path.write_text("\n".join([titles, *lines]))
    return path


def test_an_audit_that_sees_little_says_so(tmp_path: Path) -> None:
    file = few_rows(tmp_path / "rows.csv", like="raspi4")
    (row,) = json.loads(answer("--rows", str(file), "--device", "fpga", "--json"))
    assert row["suspect_percent"] < 1.0
    assert row["smallest_band_percent"] > 20.0
    assert row["smallest_outlier_percent"] > 100.0
    assert "does not follow these 400 rows" in row["warning"]
    text = " ".join(answer("--rows", str(file), "--device", "fpga").split())
    assert row["warning"] in text
    near = few_rows(tmp_path / "near.csv", like="fpga")
    (row,) = json.loads(answer("--rows", str(near), "--device", "fpga", "--json"))
    assert row["warning"] is None
    assert row["smallest_band_percent"] < 6.0
    assert row["suspect_percent"] == pytest.approx(100 * 81 / 400)
    text = answer("--rows", str(near), "--device", "fpga")
    assert "little" not in text


def test_suspect_rows_are_named(tmp_path: Path) -> None:
    file, out = few_rows(tmp_path / "rows.csv", like="fpga"), tmp_path / "out.csv"
    rows = ("--rows", str(file), "--device", "fpga")
    assert "wrote" in answer(*rows, "--out", str(out))
    with out.open(newline="") as opened:
        written = list(csv.DictReader(opened))
    assert [int(row["line"]) for row in written] == [*range(102, 182), 302]
    assert {row["why"] for row in written[:-1]} == {"band"}
    assert written[-1]["why"] == "outlier"
    cells = file.read_text().splitlines()[301].split(",")
    last = written[-1]
    assert CELLS.index(CELLS.encode(last["architecture"]))[0] == int(cells[0])
    assert float(last["measured"]) == float(cells[1])
    ratio = float(last["measured"]) / float(last["fitted"])
    assert ratio == pytest.approx(float(last["ratio"]), rel=1e-4)
    assert ratio == pytest.approx(3.0, rel=0.1)
    (found,) = json.loads(answer(*rows, "--json"))
    assert [row["line"] for row in found["suspect_rows"]] == [*range(102, 182), 302]
    assert (found["bands"][0]["first"], found["bands"][0]["last"]) == (102, 181)
    for taken in (out, file):
        before = taken.read_bytes()
        assert isinstance(call(*rows, "--out", str(taken)).exception, TakenNameError)
        assert taken.read_bytes() == before


def test_bands_stand_at_the_values_of_the_order(tmp_path: Path) -> None:
    file = few_rows(tmp_path / "rows.csv", like="fpga", order=True)
    rows = ("--rows", str(file), "--device", "fpga")
    (found,) = json.loads(answer(*rows, "--json"))
    (band,) = found["bands"]
    assert found["counted_by"] == "order"
    assert band["first"] == 1.7e9 + 1000.25
    assert band["last"] == 1.7e9 + 1790.25
    text = answer(*rows)
    assert "first order" in text
    assert "1700001790.25" in text
    lines = file.read_text().splitlines()
    for row in found["suspect_rows"]:
        cells = lines[row["line"] - 1].split(",")
        assert (float(cells[1]), float(cells[2])) == (row["measured"], row["order"])


def test_the_table_of_a_design_is_audited(tmp_path: Path) -> None:
    design = ("device", "design", CELLS.name, "--out", str(tmp_path))
    made = CliRunner().invoke(app, [*design, "--dataset", "cifar100"])
    assert made.exit_code == 0, made.output
    table = tmp_path / TABLE
    with pytest.raises(ForeignFileError, match="nothing is measured yet"):
        file_audit(CELLS, DEVICES["edgegpu"], table)
    with table.open(newline="") as opened:
        cells = list(csv.DictReader(opened))
    costs = CELLS.costs(DEVICES["edgegpu"], "cifar100").values["latency_ms"]
    for number, row in enumerate(cells):
        index = CELLS.index(CELLS.encode(row["architecture"]))[0]
        row["latency_ms"] = "" if number % 4 == 1 else str(costs[index])
        row |= {"space": CELLS.name, "dataset": "cifar100"}
        row |= {"latency_ms_again": row["latency_ms"]}
    cells[3]["latency_ms"] = "inf"
    with table.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(cells[0]))
        writer.writeheader()
        writer.writerows(cells)
    rows = ("--rows", str(table), "--device", "edgegpu")
    (found,) = json.loads(answer(*rows, "--json"))
    assert (found["n"], found["dataset"]) == (29, "cifar100")
    assert found["metric"] == "latency_ms"
    assert found["noise_percent"] == 0.0
    left = found["left_out"]
    assert left == {"not_measured": 10, "cannot_run": 1, "not_fitted": 0}
    text = answer(*rows)
    assert "11 of the file's 40 rows are left out: 10 not measured" in text
    with pytest.raises(ForeignFileError, match="energy_mj: no row has a value"):
        file_audit(CELLS, DEVICES["edgegpu"], table, metric="energy_mj")


def test_every_column_that_a_fit_reads_is_known_to_an_audit() -> None:
    for title in (*COLUMNS, *KNOWN_TITLES, *(f"{m}{AGAIN}" for m in BUDGETABLE)):
        assert title in (*ASIDE, *METRICS, "architecture"), title
