"""The audit of measured rows: its laws, the flags of a problem, and the command."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from typer.testing import CliRunner, Result

from hwnas_env.cli import app
from hwnas_env.data.formats.hwnasbench import import_pickle
from hwnas_env.data.formats.tables import TableForm, number_of, read_rows
from hwnas_env.devices import DEVICES
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    InvalidArgumentError,
    NotMeasuredError,
    UnknownNameError,
)
from hwnas_env.maths.audit import FEWEST, GAP, LEAST, audit
from hwnas_env.problems.audit import file_audit, imported_audits
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import BoolArray, FloatArray

pytestmark = pytest.mark.filterwarnings("ignore:imported from")

CELLS, FBNET = SEARCH_SPACES["nasbench201"], SEARCH_SPACES["fbnet"]
ROWS = 4000
WHERE = {"band": slice(1000, 1300), "dip": slice(2000, 2012), "slow": [50, 700, 3000]}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", "audit", *arguments])


def answer(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def table(
    rng: np.random.Generator, *, noise: float = 0.01
) -> tuple[FloatArray, FloatArray]:
    """Measured rows with a band, a short dip and slow rows, and what is fitted."""
    fitted = rng.uniform(2.0, 20.0, ROWS)
    measured = 3.0 * fitted * rng.normal(1.0, noise, ROWS)
    measured[WHERE["band"]] *= 0.85
    measured[WHERE["dip"]] *= 1.3
    measured[WHERE["slow"]] *= 1.5
    return measured, fitted


def planted() -> BoolArray:
    mask = np.zeros(ROWS, dtype=np.bool_)
    for rows in WHERE.values():
        mask[rows] = True
    return mask


def test_planted_bands_and_outliers_are_found(rng: np.random.Generator) -> None:
    found = audit(*table(rng))
    assert (found.suspect == planted()).all()
    assert found.outlier[WHERE["slow"]].all()
    assert found.shifted[WHERE["band"]].all()
    band, dip = found.bands
    assert (band.first, band.last, band.rows, band.shifted) == (1000, 1299, 300, 300)
    assert band.level == pytest.approx(0.85, abs=0.01)
    assert (dip.first, dip.last) == (2000, 2011)
    assert dip.level == pytest.approx(1.3, abs=0.03)
    assert found.noise == pytest.approx(0.014, abs=0.005)


def test_long_bands_are_found_in_loud_rows(rng: np.random.Generator) -> None:
    found = audit(*table(rng, noise=0.06))
    assert found.window > 25
    share = found.shifted[WHERE["band"]].mean()
    assert share > 0.9
    assert found.shifted[:950].mean() < 0.01
    assert len(found.bands) == 1


@pytest.mark.parametrize("noise", [0.0, 1e-12, 0.005, 0.02, 0.05, 0.2])
def test_clean_noise_is_hardly_flagged(noise: float, rng: np.random.Generator) -> None:
    fitted = rng.uniform(2.0, 20.0, 15625)
    normal = np.abs(fitted * rng.normal(1.0, noise, 15625))
    assert audit(normal, fitted).suspect.mean() < 0.001
    heavy = np.abs(fitted * (1.0 + noise / 2 * rng.standard_t(4, 15625)))
    assert audit(heavy, fitted).suspect.mean() < 0.01


def test_a_permutation_given_as_order_gives_the_same_flags(
    rng: np.random.Generator,
) -> None:
    measured, fitted = table(rng)
    measured[::7] = np.nan
    plain = audit(measured, fitted, groups=np.arange(ROWS) // 2)
    shuffled = rng.permutation(ROWS)
    other = audit(
        measured[shuffled],
        fitted[shuffled],
        order=shuffled * 2.5 - 9.0,
        groups=shuffled // 2,
    )
    for name in ("ratio", "level", "suspect", "shifted", "outlier"):
        one, two = getattr(plain, name)[shuffled], getattr(other, name)
        assert one.tobytes() == two.tobytes(), name
    assert (shuffled[other.sequence] == plain.sequence).all()
    assert [shuffled[band.first] for band in other.bands] == [
        band.first for band in plain.bands
    ]
    assert other.repeats == plain.repeats


def test_the_unit_of_a_column_does_not_matter(rng: np.random.Generator) -> None:
    measured, fitted = table(rng)
    assert (
        audit(measured, fitted).suspect.tolist()
        == audit(measured * 1024.0, fitted / 64.0).suspect.tolist()
    )


def test_rows_that_are_not_there_are_never_flagged(rng: np.random.Generator) -> None:
    measured, fitted = table(rng)
    whole = audit(measured, fitted)
    lacking = np.zeros(ROWS, dtype=np.bool_)
    lacking[[*range(1000, 1300), 50, *range(0, ROWS, 3)]] = True
    for empty in (np.nan, np.inf):
        found = audit(np.where(lacking, empty, measured), fitted)
        assert not found.suspect[lacking].any()
        assert np.isnan(found.ratio[lacking]).all()
        assert len(found.sequence) == (~lacking).sum()
        kept = ~lacking & whole.outlier
        assert found.suspect[kept].all()
        same = audit(measured, np.where(lacking, empty, fitted))
        assert (same.suspect == found.suspect).all()


def test_inputs_stay_and_answers_are_read_only(rng: np.random.Generator) -> None:
    measured, fitted = table(rng)
    order, groups = rng.random(ROWS), rng.integers(0, 50, ROWS)
    given = (measured, fitted, order, groups)
    before = [array.tobytes() for array in given]
    found = audit(measured, fitted, order=order, groups=groups)
    assert [array.tobytes() for array in given] == before
    for array in vars(found).values():
        if isinstance(array, np.ndarray):
            assert not array.flags.writeable


def test_shifted_rows_with_few_between_them_are_one_band() -> None:
    ratio = np.ones(1000)
    for start in (100, 130, 160):
        ratio[start : start + 10] = 0.8
    ratio[400:410], ratio[440:450] = 0.8, 1.2
    found = audit(ratio, np.ones(1000))
    ends = [(band.first, band.last, band.shifted) for band in found.bands]
    assert GAP > 30
    assert ends == [(100, 169, 30), (400, 409, 10), (440, 449, 10)]
    assert found.suspect.sum() == 50


def test_a_wild_first_row_shifts_nothing() -> None:
    ratio = np.ones(100)
    ratio[0] = ratio[-1] = 3.0
    found = audit(ratio, np.ones(100))
    assert np.flatnonzero(found.outlier).tolist() == [0, 99]
    assert not found.shifted.any()


def test_differences_below_five_percent_are_left_alone() -> None:
    ratio = np.ones(1000)
    ratio[100:200] = 1.0 + 0.9 * LEAST
    assert not audit(ratio, np.ones(1000)).suspect.any()


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.24])
def test_bands_are_flagged_from_about_the_size_that_is_said(
    noise: float, rng: np.random.Generator
) -> None:
    n = 400
    clean = rng.normal(1.0, noise, (40, n)).clip(0.01)
    said = audit(clean[0], np.ones(n))
    start = (n - said.band_rows) // 2
    hits = {}
    for factor in (0.5, 1.5):
        clean_copy = clean.copy()
        band = clean_copy[:, start : start + said.band_rows]
        band *= 1.0 - factor * said.smallest_band
        found = [audit(row, np.ones(n)).shifted.any() for row in clean_copy]
        hits[factor] = np.mean(found)
    assert hits[0.5] < 0.2
    assert hits[1.5] > 0.9


def test_a_window_of_all_rows_sees_no_band(rng: np.random.Generator) -> None:
    assert audit(rng.normal(1.0, 0.2, 41), np.ones(41)).smallest_band == np.inf


def test_repeats_say_whether_an_outlier_is_the_fits() -> None:
    ratio = np.ones(400)
    groups = np.arange(400) // 4
    ratio[0:4] = 1.5  # the whole group: the fit is wrong
    ratio[100] = 1.5  # one of its group: that row is wrong
    shuffled = np.random.default_rng(1).permutation(400)
    found = audit(ratio[shuffled], np.ones(400), groups=groups[shuffled])
    repeats = found.repeats
    assert repeats is not None
    assert (repeats.groups, repeats.rows) == (100, 400)
    assert (repeats.twins, repeats.shared) == (5, 4)
    assert repeats.spread == 0.0
    alone = audit(ratio, np.ones(400), groups=np.arange(400)).repeats
    assert alone is not None
    assert alone.groups == alone.twins == 0
    assert np.isnan(alone.spread)


ONES = np.ones(100)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"measured": -ONES}, "measured: expected numbers of at least 0, got -1.0"),
        ({"measured": 0 * ONES}, "got a median of 0"),
        ({"measured": np.full(100, np.nan)}, f"at least {FEWEST} rows"),
        ({"measured": ONES[:5], "fitted": ONES[:5]}, f"at least {FEWEST} rows"),
        ({"measured": []}, "fitted: expected 0 numbers"),
        ({"measured": ONES[:, None]}, "measured: expected numbers"),
        ({"measured": ["a"] * 100}, "measured: expected numbers"),
        ({"measured": ONES > 0}, "measured: expected numbers"),
        ({"measured": ONES * 1j}, "measured: expected numbers"),
        ({"measured": None}, "measured: expected numbers"),
        ({"measured": [[1.0], [2.0, 3.0]]}, "measured: expected numbers"),
        ({"measured": np.ma.masked_less(ONES, 2.0)}, "measured: expected numbers"),
        ({"fitted": ONES[:99]}, "fitted: expected 100 numbers"),
        ({"fitted": 0 * ONES}, "fitted: expected numbers above 0, got 0.0 in row 0"),
        ({"order": ONES[:99]}, "order: expected 100 numbers"),
        ({"order": ONES * np.nan}, "order: expected finite numbers"),
        ({"groups": ONES}, "groups: expected whole numbers"),
        ({"groups": np.arange(99)}, "groups: expected whole numbers"),
    ],
)
def test_hostile_arrays_are_refused_in_words(given: dict[str, Any], words: str) -> None:
    arguments = {"measured": ONES, "fitted": ONES, **given}
    measured, fitted = arguments.pop("measured"), arguments.pop("fitted")
    with pytest.raises(InvalidArgumentError, match=words):
        audit(measured, fitted, **arguments)


# Problems


def own_costs(rng: np.random.Generator) -> FloatArray:
    """Made-up measurements of every cell, from the built-in ones, with a band."""
    costs = CELLS.costs(DEVICES["fpga"], "cifar10").values["latency_ms"]
    costs = costs * rng.normal(1.0, 0.01, CELLS.size)
    costs[5000:5500] *= 0.8
    costs[7] = np.inf
    return costs


def test_a_problem_marks_suspect_rows_of_own_costs(rng: np.random.Generator) -> None:
    problem = make_problem("nasbench201", device="fpga", costs=own_costs(rng))
    suspect = problem.suspect
    assert suspect.shape == (CELLS.size,)
    assert not suspect.flags.writeable
    assert suspect[5000:5500].mean() > 0.99
    assert suspect[:4990].mean() < 0.001
    assert not suspect[7]
    assert problem.suspect is suspect
    copied = pickle.loads(pickle.dumps(problem))
    assert "suspect" not in vars(copied)
    assert (copied.suspect == suspect).all()


def test_a_problem_with_nothing_to_suspect_says_so(rng: np.random.Generator) -> None:
    with pytest.raises(NotMeasuredError, match="the costs are built in"):
        _ = make_problem("nasbench201", device="fpga").suspect
    layers = make_problem("fbnet", device="fpga", costs=np.ones((22, 9)))
    with pytest.raises(NotMeasuredError, match="no measuring order"):
        _ = layers.suspect
    costs = own_costs(rng)
    with pytest.raises(InvalidArgumentError, match="beside the device"):
        _ = make_problem("nasbench201", costs=costs).suspect
    other = make_problem("nasbench201", device="pixel3", costs={"energy_mj": costs})
    with pytest.raises(UnknownNameError, match="latency_ms"):
        _ = other.suspect


# Files and the command


def rows_file(path: Path, costs: FloatArray, rng: np.random.Generator) -> Path:
    """Rows in the order of the alphabet, with when they were measured."""
    names = [CELLS.decode(row) for row in CELLS.genotypes()]
    lines = sorted(
        f"{name},{cost},{place}"
        for place, (name, cost) in enumerate(zip(names, costs.tolist(), strict=True))
    )
    again = int(rng.integers(CELLS.size))
    lines.append(f"{names[again]},,{CELLS.size}")
    path.write_text("\n".join(["architecture,latency_ms,order", *lines]))
    return path


def test_the_rows_of_a_file_are_audited_in_their_order(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    file = rows_file(tmp_path / "rows.csv", own_costs(rng), rng)
    picture = tmp_path / "rows.png"
    (row,) = json.loads(
        answer(
            *("--rows", str(file), "--device", "fpga", "--json"),
            *("--figure", str(picture)),
        )
    )
    assert row["n"] == CELLS.size - 1
    assert row["rows"] == "rows.csv"
    (band,) = row["bands"]
    assert 490 <= band["shifted"] <= 510
    assert band["level_percent"] == pytest.approx(-20.0, abs=1.0)
    assert row["repeats"]["spread_percent"] > 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = answer("--rows", str(file), "--device", "fpga")
    assert "bands of fpga" in text
    assert "rows.csv" in text


def test_a_file_may_hold_a_network_more_than_once(tmp_path: Path) -> None:
    names = [CELLS.decode(row) for row in CELLS.from_index([3, 8])]
    lines = [f"{names[place % 2]},{2.0 + place % 2}" for place in range(40)]
    file = tmp_path / "rows.csv"
    file.write_text("\n".join(["architecture,latency_ms", *lines]))
    found = file_audit(CELLS, DEVICES["edgegpu"], file)
    assert len(found.audit.sequence) == 40
    repeats = found.audit.repeats
    assert repeats is not None
    assert (repeats.groups, repeats.rows, repeats.spread) == (2, 40, 0.0)


def test_rows_are_read_in_the_order_of_the_file() -> None:
    form = TableForm(9, ("cost", "order"), "title", int, number_of)
    content = b"index,order,cost\n4,1,2.5\n\n4,0,\n2,5,1e3\n"
    rows = read_rows(content, name="x", form=form)
    assert rows.networks.tolist() == [4, 4, 2]
    assert rows.lines.tolist() == [2, 4, 5]
    assert rows.columns["order"].tolist() == [1.0, 0.0, 5.0]
    np.testing.assert_array_equal(rows.columns["cost"], [2.5, np.nan, 1000.0])
    rows = read_rows(b"index,cost\n", name="x", form=form)
    assert rows.networks.shape == rows.columns["cost"].shape == (0,)
    with pytest.raises(ForeignFileError, match="expected one column"):
        read_rows(b"index,cost/0,cost/1\n", name="x", form=form)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("architecture,order\n", ForeignFileError, "expected a column latency_ms"),
        ("latency_ms\n1\n", ForeignFileError, "a column 'index' or 'architecture'"),
        ("index,latency\n", ForeignFileError, "'latency' is not understood"),
        ("index,latency_ms\n0,x\n", ForeignFileError, "line 2, column 2"),
        ("index,latency_ms\n0,1\n", InvalidArgumentError, "rows.csv: .* 1 of 1"),
        (
            "index,latency_ms\n" + "0,1\n" * 30 + "1,-5\n",
            InvalidArgumentError,
            "line 32: latency_ms: .* at least 0, got -5.0",
        ),
        (
            "index,latency_ms,order\n" + "0,1,inf\n" * 30,
            InvalidArgumentError,
            "line 2: order: expected finite numbers, got inf",
        ),
        ("number,set,index\n", ForeignFileError, "expected a column latency_ms"),
        (
            "architecture,latency_ms,number,number\n",
            ForeignFileError,
            "second column of number",
        ),
        ("index,latency_ms\n0,\n", ForeignFileError, "nothing is measured yet"),
        (
            "index,space,latency_ms\n0,,1\n0,fbnet,1\n",
            ForeignFileError,
            "line 3: space: expected nasbench201, which is audited, got 'fbnet'",
        ),
        (
            "index,dataset,latency_ms\n0,cifar100,1\n0,cifar10,1\n",
            ForeignFileError,
            "line 3: dataset: expected cifar100",
        ),
    ],
)
def test_hostile_files_are_refused_in_words(
    tmp_path: Path, text: str, kind: type[Exception], words: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(text)
    with pytest.raises(kind, match=words):
        file_audit(CELLS, DEVICES["pixel3"], file)


def test_names_of_an_audit_are_checked(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("index,latency_ms,energy_mj\n" + "0,1,1\n" * 30)
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10'"):
        file_audit(CELLS, DEVICES["pixel3"], file, dataset="cifar1")
    with pytest.raises(UnknownNameError, match="latency_ms"):
        file_audit(CELLS, DEVICES["pixel3"], file, metric="energy_mj")
    with pytest.raises(NotMeasuredError, match="no costs in nasbench201"):
        file_audit(CELLS, DEVICES["a100"], file)
    with pytest.raises(NotMeasuredError, match="no measuring order"):
        file_audit(FBNET, DEVICES["pixel3"], file)
    with pytest.raises(DataMissingError, match="hwnas-env data import"):
        list(imported_audits(CELLS, [DEVICES["pixel3"]]))
    with pytest.raises(UnknownNameError, match="did you mean 'latency_ms'"):
        list(imported_audits(CELLS, [DEVICES["pixel3"]], metric="latency"))
    assert call("--rows", str(file)).exit_code == 2
    figure = str(tmp_path / "rows.doc")
    wrong = call("--rows", str(file), "--device", "pixel3", "--figure", figure)
    assert "ending of the figure" in str(wrong.exception)
    assert not cache.exists()


def test_imported_columns_are_audited_with_their_holes(
    cache: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    content = synthetic.official()
    table = content["nasbench201"]["cifar10"]
    costs = own_costs(rng)
    costs[7] = costs[8]
    costs[::5] = np.nan
    table["fpga_latency"] = costs.tolist()
    for name in table:
        if name.startswith("eyeriss"):
            table[name] = [1.0, *[None] * (CELLS.size - 1)]
    import_pickle(synthetic.write(tmp_path / "official.pickle", content))
    found = json.loads(answer("--json", "--dataset", "cifar10"))
    rows = {(row["device"], row["metric"]): row for row in found}
    assert not any(device == "eyeriss" for device, _ in rows)
    fpga = rows["fpga", "latency_ms"]
    assert fpga["n"] == CELLS.size - len(range(0, CELLS.size, 5))
    assert len(fpga["bands"]) == 1
    assert (
        rows["edgetpu", "latency_ms"]["n"]
        < CELLS.size - np.count_nonzero(np.array(table["edgetpu_latency"]) == -1.0) + 1
    )
    text = answer("--device", "fpga", "--dataset", "cifar10", "--metric", "latency_ms")
    assert "bands of fpga" in text
    nothing = call("--device", "eyeriss", "--dataset", "cifar10")
    assert isinstance(nothing.exception, NotMeasuredError)
    measured = make_problem("nasbench201", device="edgetpu", source="measured")
    lacks = np.array(table["edgetpu_latency"]) == -1.0
    with pytest.warns(UserWarning, match="little can be found"):  # made-up costs
        assert not measured.suspect[lacks].any()
    many = call("--figure", str(tmp_path / "all.png"))
    assert many.exit_code == 2
    assert cache.is_dir()


@pytest.mark.data
def test_published_sessions_are_found(reference: Path, cache: Path) -> None:
    import_pickle(reference / "HW-NAS-Bench-v1_0.partial.pickle")
    six = ("pixel3", "raspi4", "edgegpu", "edgetpu", "eyeriss", "fpga")
    devices = [DEVICES[name] for name in six]
    found = {
        (one.device.name, one.metric): one.values()
        for one in imported_audits(CELLS, devices, dataset="cifar10")
    }
    shares = {key: row["suspect_percent"] for key, row in found.items()}
    pixel, raspi = found["pixel3", "latency_ms"], found["raspi4", "latency_ms"]
    assert 24 < pixel["suspect_percent"] < 34
    assert 23 < pixel["shifted_percent"] < 33
    assert all(band["level_percent"] < -5 for band in pixel["bands"])
    assert min(band["extreme_percent"] for band in pixel["bands"]) < -25
    assert 6 < raspi["shifted_percent"] < 13
    assert 6 < raspi["outlier_percent"] < 12
    assert all(-12 < band["level_percent"] < -5 for band in raspi["bands"])
    assert shares["edgegpu", "latency_ms"] < 2
    assert shares["edgegpu", "energy_mj"] < 3
    assert shares["edgetpu", "latency_ms"] < 2
    for key, row in found.items():
        if key[0] in ("eyeriss", "fpga"):
            assert row["suspect_percent"] == 0
    for key in (("edgegpu", "latency_ms"), ("edgetpu", "latency_ms")):
        assert found[key]["shifted_percent"] < 0.1
        assert found[key]["repeats"]["twin_agrees"] == 0
    assert cache.is_dir()
