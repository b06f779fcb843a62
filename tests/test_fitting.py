"""Devices fitted from a few measured networks: terms, lists, rows, fits, checks."""

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hwnas_env
from hwnas_env import make_problem
from hwnas_env.devices import DEVICES, devices_of
from hwnas_env.errors import (
    ForeignFileError,
    HWNASError,
    InvalidArgumentError,
    InvalidGenotypeError,
    NoDesignError,
    UnknownNameError,
)
from hwnas_env.fitting import (
    MeasuredRows,
    Verifier,
    design_of,
    fit_device,
    read_rows,
    verify,
    write_todo,
)
from hwnas_env.fitting.cards import predicted
from hwnas_env.fitting.fit import fitted
from hwnas_env.fitting.known import machine, packaged_devices
from hwnas_env.fitting.todo import add_check, read_checks
from hwnas_env.fitting.verifying import checked
from hwnas_env.maths.statistics import kendall_tau_b, spearman
from hwnas_env.spaces import SEARCH_SPACES, LayeredSpace, SearchSpace

pytest.importorskip("scipy")

REAL = ("nasbench201", "mnasnet", "fbnet")
EVERY = pytest.mark.parametrize("name", SEARCH_SPACES)


def invented(space: SearchSpace, genotypes: Any, dataset: str) -> np.ndarray:
    """Costs that are work, and a little of everything else, in ms."""
    terms = space.terms(dataset)
    counts = terms.count(genotypes)
    scale = np.maximum(np.abs(counts).mean(axis=0), 1e-9)
    weights = np.where(terms.growing, 1.0, 0.05) / scale
    return np.asarray(2.0 + counts @ weights)


def rows_of(name: str, count: int, *, validation: int = 0) -> MeasuredRows:
    space = SEARCH_SPACES[name]
    rng = np.random.default_rng(3)
    drawn = np.unique(space.sample(8 * (count + validation), rng=rng), axis=0)
    genotypes = rng.permutation(drawn)[: count + validation]
    dataset = space.default_dataset
    costs = invented(space, genotypes, dataset)
    marks = np.arange(len(genotypes)) >= count
    return MeasuredRows(
        space, dataset, genotypes, {"latency_ms": costs}, validation=marks
    )


# Terms and lists


@EVERY
def test_terms_count_what_their_entries_and_weights_add_up_to(
    name: str, rng: np.random.Generator
) -> None:
    space: Any = SEARCH_SPACES[name]
    for dataset in space.datasets:
        terms = space.terms(dataset)
        size = len(terms.names)
        assert len(set(terms.names)) == size == len(terms.groups) == len(terms.growing)
        genotypes = space.sample(50, rng=rng)
        counts = terms.count(genotypes)
        assert counts.shape == (50, size)
        assert terms.count(genotypes[:0]).shape == (0, size)
        assert (counts[:, np.array(terms.growing)] >= 0).all()
        assert bool(terms.entries) == isinstance(space, LayeredSpace)
        for position, table in enumerate(terms.entries):
            assert table.shape == (space.choices_at[position], size)
        if terms.entries:
            summed = sum(t[genotypes[:, p]] for p, t in enumerate(terms.entries))
            np.testing.assert_allclose(counts, summed)
        weights = rng.normal(size=size)
        named = dict(zip(terms.names, weights.tolist(), strict=True))
        np.testing.assert_allclose(terms.weigh(named, genotypes), counts @ weights)


@pytest.mark.parametrize("name", REAL)
def test_lists_are_nested_distinct_and_apart(name: str) -> None:
    space = SEARCH_SPACES[name]
    fit, validation = space.design.fit, space.design.validation
    assert (fit.shape, validation.shape) == ((60, space.length), (50, space.length))
    words = [*space.words(fit), *space.words(validation)]
    assert len(set(words)) == 110
    assert not space.constant(validation).any()
    shorter, marks = design_of(space, count=10, validation=5)
    assert (shorter[:10] == fit[:10]).all()
    assert (shorter[10:] == validation[:5]).all()
    assert marks.tolist() == [False] * 10 + [True] * 5
    for count, words in ((4, "at least 5, got 4"), (61, "at most 60")):
        with pytest.raises(InvalidArgumentError, match=words):
            design_of(space, count=count)


def test_a_space_without_a_list_says_so() -> None:
    with pytest.raises(NoDesignError, match="measure networks drawn at random"):
        design_of(SEARCH_SPACES["toychain"], count=10)


@pytest.mark.parametrize("name", REAL)
def test_the_list_tells_more_than_networks_at_random(name: str) -> None:
    """Over the package's devices, each left out in turn, with ten networks."""
    space: Any = SEARCH_SPACES[name]
    drawn = space.sample(10, rng=np.random.default_rng(8))
    asked = np.unique(space.sample(300, rng=np.random.default_rng(9)), axis=0)
    better = []
    for device in devices_of(name)[:6]:
        problem = make_problem(name, device=device.name)
        known = packaged_devices(name, without=[device.name])
        errors = []
        for genotypes in (space.design.fit[:10], np.unique(drawn, axis=0)):
            costs = problem.known_costs(genotypes)
            run = np.isfinite(costs)
            rows = MeasuredRows(
                *(space, problem.dataset, genotypes[run]),
                {"latency_ms": costs[run]},
            )
            model = fitted(rows, "latency_ms", np.ones(run.sum(), bool), known=known)
            truth = problem.known_costs(asked)
            there = np.isfinite(truth) & ~space.constant(asked)
            estimate = predicted(_as_rows(space, problem.dataset, asked[there]), model)
            errors.append(float(np.abs(estimate / truth[there] - 1).mean()))
        better.append(errors[0] < errors[1])
    assert sum(better) >= len(better) / 2


def _as_rows(space: SearchSpace, dataset: str, genotypes: Any) -> MeasuredRows:
    return MeasuredRows(
        space, dataset, genotypes, {"latency_ms": np.ones(len(genotypes))}
    )


# Fits


@EVERY
def test_costs_that_are_terms_are_found_again(name: str) -> None:
    """60 networks of invented costs: in every space, the toys' too, within 15 %."""
    rows = rows_of(name, 60, validation=20)
    every = np.ones(len(rows.genotypes), dtype=bool)
    model = fitted(rows, "latency_ms", every, known=packaged_devices(name))
    error = np.abs(predicted(rows, model) / rows.values["latency_ms"] - 1)
    assert error.mean() < 0.15


@EVERY
def test_a_fit_grows_with_its_unit_and_does_not_mind_the_order(name: str) -> None:
    rows = rows_of(name, 30)
    known = packaged_devices(name)
    every = np.ones(len(rows.genotypes), dtype=bool)
    usual = predicted(rows, fitted(rows, "latency_ms", every, known=known))
    larger = MeasuredRows(
        *(rows.space, rows.dataset, rows.genotypes),
        {"latency_ms": 1000.0 * rows.values["latency_ms"]},
        validation=rows.validation,
    )
    thousand = predicted(larger, fitted(larger, "latency_ms", every, known=known))
    np.testing.assert_allclose(thousand, 1000.0 * usual, rtol=1e-3)
    backwards = MeasuredRows(
        *(rows.space, rows.dataset, rows.genotypes[::-1].copy()),
        {"latency_ms": rows.values["latency_ms"][::-1].copy()},
        validation=np.zeros(len(rows.genotypes), dtype=bool),
    )
    turned = predicted(backwards, fitted(backwards, "latency_ms", every, known=known))
    np.testing.assert_allclose(turned[::-1], usual, rtol=1e-3)


@pytest.mark.parametrize("name", [*REAL, "toyragged", "toychain"])
def test_a_fitted_device_serves_problems_of_every_kind(name: str) -> None:
    device = fit_device(rows_of(name, 14, validation=10), label="Fitted-1")
    assert (device.name, device.label) == ("fitted_1", "Fitted-1")
    ids = hwnas_env.register_device(device)
    try:
        problem = make_problem(name, device="Fitted-1")
        card = problem.provenance["latency_ms"].fidelity
        assert card is not None
        assert card.n == 10
        assert card.method == "networks that were not fitted"
        assert card.ratio_90 is not None
        assert card.ratio_90 >= 1.0
        costs = problem.known_costs(
            problem.space.sample(200, rng=np.random.default_rng(2))
        )
        assert (costs > 0).all()
        budget = problem.budget("medium")
        assert (
            problem.optimum(budget).accuracy_percent
            < problem.optimum().accuracy_percent
        )
        assert len(problem.pareto_front().points)
        _, info = gym.make(ids[0]).reset(seed=0)
        assert info["action_mask"].any()
    finally:
        hwnas_env.unregister_device("Fitted-1")


def test_without_validation_networks_the_error_is_cross_validated() -> None:
    rows = rows_of("nasbench201", 20)
    device = fit_device(rows, label="Twenty")
    entry = device.spaces["nasbench201"]["columns"]["cifar10"]["latency_ms"]
    assert entry["fidelity"]["method"] == "5-fold cross-validation"
    assert entry["fidelity"]["n"] == 20 - rows.space.constant(rows.genotypes).sum()
    turned = MeasuredRows(
        *(rows.space, rows.dataset, rows.genotypes[::-1].copy()),
        {"latency_ms": rows.values["latency_ms"][::-1].copy()},
    )
    again = fit_device(turned, label="Twenty")
    other = again.spaces["nasbench201"]["columns"]["cifar10"]["latency_ms"]
    assert other["fidelity"]["mape_percent"] == pytest.approx(
        entry["fidelity"]["mape_percent"], rel=1e-2
    )


def test_a_second_pass_and_energy_are_fitted_and_stated() -> None:
    rows = rows_of("nasbench201", 20, validation=10)
    latency = rows.values["latency_ms"]
    both = MeasuredRows(
        *(rows.space, rows.dataset, rows.genotypes),
        {"latency_ms": latency, "energy_mj": 3.0 * latency},
        {"latency_ms": latency * 1.01},
        rows.validation,
        {"runtime": "mine", "threads": 2},
    )
    device = fit_device(both, label="Both")
    columns = device.spaces["nasbench201"]["columns"]["cifar10"]
    assert columns["latency_ms"]["fidelity"]["repeat_tau_b"] == 1.0
    assert "repeat_tau_b" not in columns["energy_mj"]["fidelity"]
    assert device.metrics == ("latency_ms", "energy_mj")
    stored = device.spaces["nasbench201"]["measured"]["cifar10"]
    assert stored["protocol"] == {"runtime": "mine", "threads": 2}
    assert len(stored["networks"]) == 30
    assert stored["validation"] == [*range(20, 30)]


def test_mappings_hold_several_metrics_and_genotypes() -> None:
    space = SEARCH_SPACES["nasbench201"]
    given = {
        tuple(row.tolist()): {"latency_ms": 1.0 + n, "energy_mj": 3.0 + n}
        for n, row in enumerate(space.design.fit[:8])
    }
    device = fit_device(given, label="Both", space="nasbench201")
    assert device.metrics == ("latency_ms", "energy_mj")
    same = dict.fromkeys(given, 3.3)
    with pytest.raises(InvalidArgumentError, match="nothing to fit"):
        fit_device(same, label="Same", space="nasbench201")


def test_architectures_by_name_are_rows_too() -> None:
    space = SEARCH_SPACES["nasbench201"]
    genotypes = space.design.fit[:8]
    given = {space.decode(row): 1.0 + n for n, row in enumerate(genotypes)}
    device = fit_device(given, label="Named", space="nasbench201")
    entry = device.spaces["nasbench201"]["columns"]["cifar10"]["latency_ms"]
    assert entry["calibrated_on"] == "8 measured networks, cifar10"


def test_settings_of_one_machine_are_left_out_together() -> None:
    known = packaged_devices("nasbench201", without=["gtx1080ti_1"])
    assert not [name for name in known if name.startswith("gtx1080ti")]
    assert "titanx_1" in known
    assert machine(DEVICES["gtx1080ti_32"]) == machine(DEVICES["gtx1080ti_256"])
    assert "toybox" not in packaged_devices("toycell")


# Rows


GOOD = (
    "architecture,latency_ms\n"
    "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|,1.5\n"
)
NETWORK = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"
WRONG_TABLES = {
    "no text in it": ("", "expected a header and a row"),
    "only a header": ("architecture,latency_ms\n", "expected a header and a row"),
    "no architecture": ("latency_ms\n1\n", "expected a column 'architecture'"),
    "an unknown column": (
        f"architecture,latencyms\n{NETWORK},1\n",
        "did you mean 'latency_ms'",
    ),
    "a column twice": (
        f"architecture,latency_ms,latency_ms\n{NETWORK},1,1\n",
        "two columns 'latency_ms'",
    ),
    "nothing measured": (f"architecture,latency_ms\n{NETWORK},\n", "no value in any"),
    "an empty field": (
        GOOD + "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|,\n",
        "line 3: expected a number above 0, got an empty field",
    ),
    "not a number": (f"architecture,latency_ms\n{NETWORK},nan\n", "got 'nan'"),
    "a negative one": (f"architecture,latency_ms\n{NETWORK},-2\n", "got '-2'"),
    "an infinite one": (f"architecture,latency_ms\n{NETWORK},1e999\n", "got '1e999'"),
    "a digit separator": (f"architecture,latency_ms\n{NETWORK},1_0\n", "got '1_0'"),
    "a network twice": (GOOD + GOOD.split("\n")[1] + "\n", "network of line 2 again"),
    "another space's": (
        "architecture,latency_ms\nk3_e1|skip,1\n",
        "line 2: architecture",
    ),
    "a field too many": (GOOD + f"{NETWORK},1,2\n", "expected 2 fields"),
    "an unknown set": (
        f"set,architecture,latency_ms\ntest,{NETWORK},1\n",
        "expected fit or validation, got 'test'",
    ),
    "a set that is empty": (
        f"set,architecture,latency_ms\nfit,{NETWORK},1\n"
        ",|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|,1\n",
        "line 3: set: expected fit or validation",
    ),
    "a number twice": (
        f"number,architecture,latency_ms\nf1,{NETWORK},1\n"
        "f1,|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|,1\n",
        "line 3: number: f1 is line 2's",
    ),
    "the file of another number": (
        f"number,architecture,latency_ms,file\nf1,{NETWORK},1,f2.onnx\n"
        "f2,|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|,1,f1.onnx\n",
        "line 2: file: expected that of network f1, got 'f2.onnx'",
    ),
    "an open quote": (f'architecture,latency_ms\n"{NETWORK},1\n', "not a csv table"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_a_wrong_table_is_an_error_that_names_the_place(
    case: str, tmp_path: Path
) -> None:
    text, words = WRONG_TABLES[case]
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ForeignFileError, match=r"rows\.csv") as found:
        read_rows(path, space=SEARCH_SPACES["nasbench201"], dataset="cifar10")
    assert words in str(found.value)


def test_a_table_that_is_no_text_or_no_file_is_an_error(tmp_path: Path) -> None:
    space = SEARCH_SPACES["nasbench201"]
    (tmp_path / "rows.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("rows.csv", "nothing.csv", "."):
        with pytest.raises(HWNASError):
            read_rows(tmp_path / name, space=space, dataset="cifar10")


def test_rows_are_checked_however_they_come() -> None:
    space = SEARCH_SPACES["nasbench201"]
    genotypes = space.design.fit[:6]
    ones = np.ones(6)
    for values, words in (
        ({"latency_ms": ones * math.nan}, "expected a number above 0, got nan"),
        ({"latency_ms": -ones}, "got -1.0"),
        ({"latency_ms": ones[:5]}, "expected 6 numbers"),
        ({}, "expected a column of a metric"),
    ):
        with pytest.raises(InvalidArgumentError, match=words):
            MeasuredRows(space, "cifar10", genotypes, values)
    with pytest.raises(UnknownNameError, match="did you mean 'latency_ms'"):
        MeasuredRows(space, "cifar10", genotypes, {"latency": ones})
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10"):
        MeasuredRows(space, "cifar", genotypes, {"latency_ms": ones})
    with pytest.raises(InvalidGenotypeError, match="twice"):
        MeasuredRows(space, "cifar10", genotypes[[0] * 6], {"latency_ms": ones})
    few = MeasuredRows(space, "cifar10", genotypes[:4], {"latency_ms": ones[:4]})
    with pytest.raises(InvalidArgumentError, match="4 networks to fit, expected at"):
        fit_device(few, label="Few")


def test_listed_validation_networks_are_known_for_what_they_are() -> None:
    space = SEARCH_SPACES["fbnet"]
    genotypes, marks = design_of(space, count=6, validation=4)
    rows = MeasuredRows(space, "cifar100", genotypes, {"latency_ms": np.ones(10)})
    assert rows.validation is not None
    assert rows.validation.tolist() == marks.tolist()


def test_a_list_is_filled_in_continued_and_read_back(tmp_path: Path) -> None:
    space, folder = SEARCH_SPACES["mnasnet"], tmp_path / "todo"
    told: list[tuple[int, int]] = []

    def written(count: int, validation: int) -> Path:
        return write_todo(
            *(space, *design_of(space, count=count, validation=validation)),
            dataset="ImageNet",
            folder=folder,
            export=lambda row, file: file.write_bytes(row.tobytes()),
            progress=lambda done, total: told.append((done, total)),
        )

    path = written(5, 2)
    assert told[-1] == (7, 7)
    path.write_text(path.read_text().replace(",,,", ",2.5,,"))
    filled = path.read_text()
    assert written(8, 3) == path
    assert path.read_text().startswith(filled.rstrip("\n"))
    files = sorted(file.name for file in folder.glob("*.onnx"))
    assert files == sorted(
        [*(f"f{n}.onnx" for n in range(1, 9)), *(f"v{n}.onnx" for n in range(1, 4))]
    )
    path.write_text(path.read_text().replace(",,,", ",3.5,,"))
    rows = read_rows(path, space=space, dataset="ImageNet")
    assert len(rows.genotypes) == 11
    assert rows.validation is not None
    assert rows.validation.sum() == 3
    assert set(rows.values) == {"latency_ms"}
    with pytest.raises(ForeignFileError, match="a table of mnasnet on ImageNet"):
        write_todo(
            *(SEARCH_SPACES["fbnet"], *design_of(SEARCH_SPACES["fbnet"], count=5)),
            dataset="cifar100",
            folder=folder,
        )
    with pytest.raises(ForeignFileError, match="space: line 2: expected fbnet"):
        read_rows(path, space=SEARCH_SPACES["fbnet"], dataset="ImageNet")
    for content, words in (
        (b"mine\n1\n", "another table"),
        (path.read_bytes() + b"caf\xe9\n", "not a text in UTF-8"),
        (path.read_bytes() + b"1,2\n", "expected 8 fields, got 2"),
    ):
        path.write_bytes(content)
        with pytest.raises(ForeignFileError, match=words):
            written(5, 0)
        assert path.read_bytes() == content


# Checks on the device


@pytest.mark.parametrize(
    ("name", "device"), [("nasbench201", "fpga"), ("fbnet", "fpga")]
)
def test_where_predictions_hold_the_first_pick_is_the_answer(
    name: str, device: str
) -> None:
    problem = make_problem(name, device=device)
    found = verify(
        problem,
        "medium",
        measure=lambda row: float(problem.known_costs(row[None])[0]),
    )
    best = found.best
    assert best is not None
    assert best.accuracy_percent >= problem.optimum("medium").accuracy_percent
    assert all(check.feasible for check in found.checks[:1])


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.05, 1.2, 2.0])
def test_what_is_found_keeps_the_budget_and_no_network_is_measured_twice(
    factor: float,
) -> None:
    problem = make_problem("nasbench201", device="raspi4")
    found = verify(
        problem,
        "loose",
        measure=lambda row: factor * float(problem.known_costs(row[None])[0]),
        checks=7,
    )
    assert len(found.checks) <= 7
    words = problem.space.words(np.array([check.genotype for check in found.checks]))
    assert len(set(words)) == len(words)
    assert found.best is not None
    assert found.best.measured <= found.budget
    assert found.best.accuracy_percent == max(
        check.accuracy_percent for check in found.checks if check.feasible
    )


def test_a_device_on_which_nothing_keeps_the_budget_has_no_answer() -> None:
    problem = make_problem("nasbench201", device="fpga")
    found = verify(problem, "tight", measure=lambda row: 1e9, checks=4)  # noqa: ARG005
    assert found.best is None
    assert not any(check.feasible for check in found.checks)


def test_a_verifier_wants_to_be_told_in_turn() -> None:
    verifier = Verifier(make_problem("nasbench201", device="fpga"), "medium")
    with pytest.raises(InvalidArgumentError, match="nothing was asked"):
        verifier.tell(1.0)
    assert verifier.ask() is not None
    with pytest.raises(
        InvalidArgumentError, match="expected what the last network costs"
    ):
        verifier.ask()
    for wrong in (math.nan, -1.0, 0, "fast", None):
        with pytest.raises(InvalidArgumentError, match="expected a number above 0"):
            verifier.tell(wrong)  # type: ignore[arg-type]


def test_checks_are_kept_in_a_table(tmp_path: Path) -> None:
    space, path = SEARCH_SPACES["nasbench201"], tmp_path / "checks.csv"
    one, other = space.design.fit[:2]
    assert read_checks(path, space, "latency_ms") == {}
    for genotype in (one, other, one):
        add_check(path, space, "latency_ms", genotype)
    assert read_checks(path, space, "latency_ms") == {}
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    path.write_text("\n".join([lines[0], lines[1] + "2.5", lines[2]]) + "\n")
    assert read_checks(path, space, "latency_ms") == {one.tobytes(): 2.5}
    for wrong in ("-1", "x", "nan"):
        path.write_text("\n".join([lines[0], lines[1] + wrong]) + "\n")
        with pytest.raises(ForeignFileError, match="line 2"):
            read_checks(path, space, "latency_ms")
    path.write_text("\n".join([lines[0], lines[1] + "inf"]) + "\n")
    assert read_checks(path, space, "latency_ms") == {one.tobytes(): math.inf}
    path.write_text("\n".join([lines[0], lines[1] + "1", lines[1] + "2"]) + "\n")
    with pytest.raises(ForeignFileError, match="a second row of this network"):
        read_checks(path, space, "latency_ms")
    path.write_bytes(b"note,architecture,latency_ms\r\nm\xc3\xbch,x,\r\n")
    before = path.read_bytes()
    assert add_check(path, space, "latency_ms", one) == 2
    assert path.read_bytes().startswith(before)
    for content, words in (
        (b"architecture,energy_mj\n", "expected one column latency_ms"),
        (b"caf\xe9\n", "not a text in UTF-8"),
        (b"set,architecture,latency_ms\n", "a table of networks to fit"),
        (b'architecture,latency_ms\n"' + b"x" * 200_000 + b'",1\n', "not a csv table"),
    ):
        path.write_bytes(content)
        with pytest.raises(ForeignFileError, match=words):
            add_check(path, space, "latency_ms", one)
        assert path.read_bytes() == content
    path.write_bytes(b"")
    assert add_check(path, space, "latency_ms", one) == 1


def test_spearman_is_the_correlation_of_mean_ranks(rng: np.random.Generator) -> None:
    stats = pytest.importorskip("scipy.stats")
    for _ in range(20):
        x, y = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y)[0])
        assert abs(kendall_tau_b(x, y)) <= 1.0


def test_the_best_that_searches_found_are_measured_each_once() -> None:
    problem = make_problem("nasbench201", device="fpga")
    genotypes = problem.space.sample(12, rng=np.random.default_rng(4))
    asked: list[bytes] = []

    def measure(row: Any) -> float:
        asked.append(row.tobytes())
        return 1.5 * float(problem.known_costs(row[None])[0])

    budget = problem.budget("loose")
    found = checked(
        problem, [*genotypes, *genotypes], budget=budget, measure=measure, checks=5
    )
    assert len(found) == len(set(asked)) == 5
    accuracy = problem.evaluate(genotypes).accuracy_percent
    assert [c.accuracy_percent for c in found] == sorted(accuracy, reverse=True)[:5]
    assert all(c.feasible == (c.measured <= budget) for c in found)
    assert checked(problem, [], budget=budget, measure=measure) == []
