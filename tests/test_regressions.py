"""One test for every defect that was found and mended."""

import io
import multiprocessing
import pickle
import struct
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import synthetic
from typer.testing import CliRunner

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.cli import app
from hwnas_env.data import cache as cached
from hwnas_env.data import unpickle
from hwnas_env.data.formats.hwnasbench import HWNASBench, import_pickle
from hwnas_env.errors import (
    ChecksumError,
    DataError,
    ForeignFileError,
    HWNASError,
    InfeasibleBudgetError,
    InvalidActionError,
    InvalidArgumentError,
    InvalidBudgetError,
    InvalidGenotypeError,
    UnknownNameError,
    UnsafePickleError,
)
from hwnas_env.spaces import fbnet
from hwnas_env.spaces.nasbench201 import runs as nasbench201_runs
from hwnas_env.spaces.nasbench201.imports import import_accuracy

pytestmark = pytest.mark.filterwarnings("ignore:imported from")

CELL = "HWNAS-NASBench201-EdgeGPU-v0"


def test_a_preset_below_every_measured_cost_raises(cache: Path, tmp_path: Path) -> None:
    content = synthetic.official()
    content["nasbench201"]["cifar10"]["edgegpu_latency"] += 1000.0
    import_pickle(synthetic.write(tmp_path / "dear.pickle", content))
    for budget in ("medium", "sampled"):
        with pytest.raises(InfeasibleBudgetError, match="cheapest deployable"):
            gym.make(CELL, source="measured", budget=budget)
    problem = make_problem("nasbench201", device="edgegpu", source="measured")
    with pytest.raises(InfeasibleBudgetError):
        problem.optimum("medium")
    assert cache.is_dir()


def test_an_emptied_cache_file_is_read_again(cache: Path) -> None:
    before = nasbench201_runs.load_runs("cifar10").accuracy_percent.copy()
    folder = next(path for path in cache.iterdir() if path.is_dir())
    (folder / "000.npy").write_bytes(b"")
    again = nasbench201_runs.load_runs("cifar10").accuracy_percent
    np.testing.assert_array_equal(again, before)
    assert cached.check("nasbench201-runs-cifar10") == []


def test_a_flipped_byte_is_not_served(cache: Path, tmp_path: Path) -> None:
    made_up = synthetic.official()
    import_pickle(synthetic.write(tmp_path / "official.pickle", made_up))
    folder = next(p for p in cache.iterdir() if p.is_dir() and p.name.startswith("hw"))
    victim = folder / "003.npy"
    content = bytearray(victim.read_bytes())
    content[-3] ^= 1
    victim.write_bytes(bytes(content))
    for source in ("measured", "auto"):
        with pytest.raises(ChecksumError):
            make_problem("nasbench201", device="edgegpu", source=source)


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 9}'])
def test_a_damaged_manifest_is_a_clear_error(text: str, cache: Path) -> None:
    cache.mkdir()
    (cache / "hw-nas-bench.json").write_text(text)
    with pytest.raises(ChecksumError, match="delete it"):
        HWNASBench.open()


def test_a_cache_below_a_file_is_an_empty_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HWNAS_ENV_CACHE", str(tmp_path / "file"))
    assert make_problem("nasbench201", device="fpga", source="auto").source == "builtin"
    monkeypatch.setenv("HWNAS_ENV_CACHE", "~no-such-user/cache")
    with pytest.raises(DataError, match="no-such-user"):
        cached.cache_dir()


def _store(number: int, rounds: int, failures: Any) -> None:
    for turn in range(rounds):
        try:
            for value in (0, number + 10 * turn):  # the same content, then another
                array = np.full(1000, float(value))
                bundle = cached.store("race", {"x": array}, meta={"value": value})
                assert (bundle.arrays["x"] == value).all()
                assert cached.load("race") is not None
        except (HWNASError, AssertionError) as error:
            failures.put(repr(error))


def test_processes_may_write_and_read_at_once(cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    failures = context.Queue()
    writers = [
        context.Process(target=_store, args=(number, 15, failures))
        for number in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=600)
    assert failures.empty(), failures.get()
    assert cached.check("race") == []
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1


def test_leftovers_of_a_killed_import_are_cleared(cache: Path) -> None:
    (cache / ".thing-abcdef").mkdir(parents=True)
    (cache / ".thing-abcdef" / "000.npy").write_bytes(b"half")
    cached.store("thing", {"x": np.zeros(3)}, meta={})
    assert not (cache / ".thing-abcdef").exists()


def test_a_hostile_pickle_changes_nothing_for_the_next(tmp_path: Path) -> None:
    poison = b"\x80\x02cnumpy.core.multiarray\nscalar\n(N}U\x05buildU\x03abcstb."
    (tmp_path / "poison.pickle").write_bytes(poison)
    with pytest.raises(UnsafePickleError):
        unpickle.load(tmp_path / "poison.pickle")
    good = tmp_path / "good.pickle"
    good.write_bytes(pickle.dumps([np.float64(1.5), np.arange(3)], protocol=5))
    scalar, array = unpickle.load(good)
    assert scalar == 1.5
    assert array.tolist() == [0, 1, 2]


def test_a_huge_memo_number_sets_no_memory_aside(tmp_path: Path) -> None:
    path = tmp_path / "memo.pickle"
    path.write_bytes(b"K\x01r" + struct.pack("<I", 0x7FFFFFFF) + b".")
    with pytest.raises(UnsafePickleError, match="numbers an object 2147483647"):
        unpickle.load(path)


@pytest.mark.parametrize("depth", [2, 15, 40])
def test_nested_object_arrays_take_no_exponential_time(
    depth: int, tmp_path: Path
) -> None:
    value: Any = 1.0
    for _ in range(depth):
        level = np.empty(2, dtype=object)
        level[:] = [value, value]
        value = level
    stream = io.BytesIO()
    pickle.Pickler(stream).dump(value)
    path = tmp_path / "nested.pickle"
    path.write_bytes(stream.getvalue())
    with pytest.raises(UnsafePickleError):
        unpickle.load(path)


def test_numpy_numbers_and_text_may_number_rows(cache: Path, tmp_path: Path) -> None:
    content = synthetic.official()
    table = content["nasbench201"]["cifar10"]
    table["config"] = {np.int64(row): c for row, c in enumerate(table["config"])}
    table["raspi4_latency"] = {
        str(row): value for row, value in enumerate(table["raspi4_latency"])
    }
    bench = import_pickle(synthetic.write(tmp_path / "numbered.pickle", content))
    assert bench.holes() == {}
    expected = list(table["raspi4_latency"].values())
    assert bench.column("cifar10", "raspi4_latency").tolist() == expected
    assert cache.is_dir()


@pytest.mark.parametrize("value", [float("inf"), "1.0", True, [1.0]])
def test_blocks_are_checked_as_columns_are(
    value: Any, cache: Path, tmp_path: Path
) -> None:
    content = synthetic.official()
    key = fbnet.block_key(fbnet.layers("ImageNet")[3], 2)
    content["fbnet"]["raspi4_latency"][key] = value
    with pytest.raises(ForeignFileError, match="fbnet, raspi4_latency"):
        import_pickle(synthetic.write(tmp_path / "odd.pickle", content))
    assert not cache.exists() or list(cache.glob("*.json")) == []


def test_none_is_a_hole_and_a_hole_beside_the_budget_is_left_out(
    cache: Path, tmp_path: Path
) -> None:
    content = synthetic.official()
    content["nasbench201"]["cifar10"]["edgegpu_energy"][5] = None
    key = fbnet.block_key(fbnet.layers("ImageNet")[3], 2)
    content["fbnet"]["edgegpu_energy"][key] = None
    bench = import_pickle(synthetic.write(tmp_path / "holes.pickle", content))
    assert len(bench.holes()) == 2
    for space in ("nasbench201", "fbnet"):
        problem = make_problem(space, device="edgegpu", source="measured")
        assert problem.metrics == ("latency_ms", "parameters_m", "flops_m")
        with pytest.raises(HWNASError, match="edgegpu_energy"):
            make_problem(space, device="edgegpu", metric="energy_mj", source="measured")
    assert cache.is_dir()


def test_a_configuration_of_more_than_plain_values_is_refused(
    cache: Path, tmp_path: Path
) -> None:
    content = synthetic.official()
    loop: list[Any] = []
    loop.append(loop)
    content["nasbench201"]["cifar10"]["config"][3]["x"] = loop
    with pytest.raises(UnsafePickleError, match="in themselves"):
        import_pickle(synthetic.write(tmp_path / "loop.pickle", content))
    shared = [[[0] * 1000] * 1000] * 20  # few bytes, which JSON writes out
    configs = content["nasbench201"]["cifar10"]["config"]
    for wrong in (b"bytes", [1], shared, {"a": 1}, "x" * 6000):
        configs[3]["x"] = wrong
        with pytest.raises(ForeignFileError, match="row 3 holds more than plain"):
            import_pickle(synthetic.write(tmp_path / "more.pickle", content))
    for row, config in enumerate(configs):
        config["x"] = row
    with pytest.raises(ForeignFileError, match="more than 1000 configurations"):
        import_pickle(synthetic.write(tmp_path / "each.pickle", content))
    assert not cache.exists() or list(cache.glob("*.json")) == []


def test_every_task_is_checked_before_the_first_runs() -> None:
    arguments = ["run", "--env", CELL, "--env", "HWNAS-No-v0", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UnknownNameError)
    jobs = CliRunner().invoke(app, ["run", "--env", CELL, "--jobs", "0"])
    assert isinstance(jobs.exception, InvalidArgumentError)


def test_odd_accuracy_files_are_clear_errors(cache: Path, tmp_path: Path) -> None:
    ramp = np.linspace(10.0, 90.0, 15625)
    path = tmp_path / "whole.npz"
    np.savez_compressed(path, cifar10=ramp)
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    (tmp_path / "corrupt.npz").write_bytes(bytes(content))
    np.save(tmp_path / "single.npy", ramp)
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    rows = "\n".join(f"0,{value}" for value in (50, 60))
    (tmp_path / "twice.csv").write_text(f"index,cifar10\n{rows}\n")
    for name in ("corrupt.npz", "single.npz", "twice.csv"):
        with pytest.raises(DataError):
            import_accuracy(tmp_path / name, split="test", epochs=200)
    assert not cache.exists() or list(cache.glob("*test*")) == []
    # A byte-order mark and capitals are no reason to refuse.
    table = "\n".join(f"{row},{value}" for row, value in enumerate(ramp.tolist()))
    (tmp_path / "EXCEL.CSV").write_text(f"\ufeffindex,cifar10\n{table}\n")
    found = import_accuracy(tmp_path / "EXCEL.CSV", split="test", epochs=200)
    assert found == ["cifar10"]


def test_what_problems_share_cannot_be_changed() -> None:
    problem = make_problem("nasbench201", device="fpga")
    medium = problem.budget("medium")
    problem.presets["medium"] = 99.0
    assert make_problem("nasbench201", device="fpga").budget("medium") == medium
    nets: Any = make_problem("fbnet", device="fpga").model
    cells: Any = problem.model
    for array in (cells.costs, cells.accuracy_percent, nets.quantities.entries):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_odd_arguments_are_clear_errors() -> None:
    problem = make_problem("nasbench201", device="fpga")
    cases: list[tuple[type[Exception], Any]] = [
        (InvalidBudgetError, lambda: problem.budget(10**400)),
        (InvalidArgumentError, lambda: problem.pareto_front(5)),  # type: ignore[arg-type]
        (InvalidArgumentError, lambda: gym.make(CELL, objectives=5)),
        (InvalidArgumentError, lambda: gym.make(CELL, objectives="accuracy")),
        (InvalidArgumentError, lambda: gym.make(CELL, reward=".x:y")),
        (InvalidGenotypeError, lambda: problem.encode(None)),  # type: ignore[arg-type]
        (InvalidGenotypeError, lambda: problem.encode([["none"]] * 6)),  # type: ignore[list-item]
        (
            InvalidArgumentError,
            lambda: problem.space.sample(-1, rng=np.random.default_rng()),
        ),
        (UnknownNameError, lambda: make_problem("fbnet", device="fpga", dataset="")),
        (
            InvalidArgumentError,
            lambda: BudgetedProblem(problem, max_train_seconds="5"),  # type: ignore[arg-type]
        ),
    ]
    env = gym.make(CELL)
    for genotype in (None, 5):
        options = {"genotype": genotype}
        cases.append((InvalidActionError, lambda o=options: env.reset(options=o)))
    for error, call in cases:
        with pytest.raises(error):
            call()
    assert problem.evaluate([]).costs.shape == (0, 4)
    index = make_problem("nasbench201", device="fpga", accuracy=np.int64(0))  # type: ignore[arg-type]
    assert index.accuracy == "valid-200ep-run0"


def test_a_refused_reset_changes_nothing() -> None:
    env = gym.make(CELL, budget="sampled")
    env.reset(seed=1)
    twin = gym.make(CELL, budget="sampled")
    twin.reset(seed=1)
    with pytest.raises(HWNASError):
        env.reset(seed=7, options={"budget": -1.0})
    assert env.reset()[1]["budget"] == twin.reset()[1]["budget"]


def test_the_genotype_in_info_is_a_prefix_for_reset() -> None:
    env = gym.make(CELL)
    env.reset(seed=0)
    info = env.step(3)[-1]
    again = env.reset(options={"genotype": info["genotype"]})[1]
    assert again["genotype"].tolist() == info["genotype"].tolist()


def _saver(accuracy: Any, cost: Any, budget: float) -> Any:
    return accuracy - 0.0 * cost / budget


def test_a_users_reward_is_named_as_such() -> None:
    ours: Any = gym.make(CELL).unwrapped
    assert ours.describe()["reward"] == {"name": "mnas_hard", "kind": "named"}
    own: Any = gym.make(CELL, reward=_saver).unwrapped
    assert own.describe()["reward"]["kind"] == "user"
    vector: Any = gym.make(CELL, objectives=["accuracy", "latency_ms"]).unwrapped
    assert vector.describe()["reward"] == {"objectives": ["accuracy", "latency_ms"]}
