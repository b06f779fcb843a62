"""Import of the official file, and the answers of the official API."""

import json
import math
import shutil
import threading
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from typer.testing import CliRunner

from hwnas_env.cli import app
from hwnas_env.data import cache as cached
from hwnas_env.data.formats import hwnasbench
from hwnas_env.data.formats.hwnasbench import (
    HWNASBench,
    fetch,
    git_blob_id,
    import_pickle,
    official_arrays,
)
from hwnas_env.errors import (
    ChecksumError,
    DataError,
    DataMissingError,
    ForeignFileError,
    NotMeasuredError,
    TruncatedFileError,
    UnknownNameError,
)
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import SEARCH_SPACES, fbnet

pytestmark = pytest.mark.filterwarnings("ignore:imported from")

CELLS, FBNET = SEARCH_SPACES["nasbench201"], SEARCH_SPACES["fbnet"]


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return synthetic.official()


@pytest.fixture(scope="module")
def imported(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file and the cache that its import made."""
    folder = tmp_path_factory.mktemp("imported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HWNAS_ENV_CACHE", str(folder / "cache"))
        import_pickle(synthetic.write(folder / "official.pickle", content))
    return folder


@pytest.fixture
def bench(cache: Path, tmp_path: Path, imported: Path) -> HWNASBench:
    """The imported data, in a cache of this test's own."""
    shutil.copytree(imported / "cache", cache)
    shutil.copy(imported / "official.pickle", tmp_path)
    return HWNASBench.open()


def test_every_cell_answers_value_for_value(
    bench: HWNASBench, content: dict[str, Any], rng: np.random.Generator
) -> None:
    for dataset in CELLS.datasets:
        table = content["nasbench201"][dataset]
        for row in rng.integers(0, CELLS.size, 20).tolist():
            official = {k: float(v[row]) for k, v in table.items() if k != "config"}
            by_index = bench.query("nasbench201", row, dataset=dataset)
            name = table["config"][row]["arch_str"]
            assert bench.query("nasbench201", name, dataset=dataset) == by_index
            product = by_index.pop("average_hw_metric")
            if official["edgetpu_latency"] == -1.0:
                official["edgetpu_latency"] = math.inf
            assert by_index == official
            costs = [v for k, v in official.items() if not k.endswith("intensity")]
            assert product == math.prod(costs)
            config = bench.config("nasbench201", row, dataset=dataset)
            assert config == table["config"][row]


def test_every_fbnet_answers_as_the_official_sum(
    bench: HWNASBench, content: dict[str, Any], rng: np.random.Generator
) -> None:
    for dataset in FBNET.datasets:
        stem, *rest = fbnet.frame_keys(dataset)
        for genotype in FBNET.sample(10, rng=rng):
            answer = bench.query("fbnet", genotype.tolist(), dataset=dataset)
            assert (
                bench.query("fbnet", FBNET.decode(genotype), dataset=dataset) == answer
            )
            for name, table in content["fbnet"].items():
                total = 0.0
                total += table[stem]
                for layer, choice in zip(fbnet.layers(dataset), genotype, strict=True):
                    total += table[fbnet.block_key(layer, int(choice))]
                for key in rest:
                    total += table[key]
                assert answer[name] == total
    assert bench.block_tables() == content["fbnet"]
    config = bench.config("fbnet", [0] * 22, dataset="ImageNet")
    assert config == {
        "dataset": "ImageNet",
        "num_classes": 1000,
        "op_idx_list": [0] * 22,
        "arch_str": ["k3_e1"] * 22,
    }


def test_lists_and_dictionaries_import_like_arrays(
    cache: Path, tmp_path: Path, content: dict[str, Any]
) -> None:
    other = synthetic.official(lists=True, config="dict")
    path = synthetic.write(tmp_path / "other.pickle", other, protocol=2)
    bench = import_pickle(path)
    table = content["nasbench201"]["cifar100"]
    column = bench.column("cifar100", "raspi4_latency")
    assert column.tolist() == table["raspi4_latency"].tolist()
    assert bench.config("nasbench201", 7, dataset="cifar100") == table["config"][7]
    assert cache.is_dir()


def test_a_measured_problem_gives_the_official_values(
    bench: HWNASBench, content: dict[str, Any], rng: np.random.Generator
) -> None:
    rows = CELLS.sample(50, rng=rng)
    index = CELLS.index(rows)
    problem = make_problem("nasbench201", device="edgetpu", source="measured")
    evaluation = problem.evaluate(rows)
    column = np.array(content["nasbench201"]["cifar10"]["edgetpu_latency"])[index]
    assert (evaluation.deployable == (column != -1.0)).all()
    assert np.isinf(evaluation.costs[column == -1.0, 0]).all()
    held = column != -1.0
    assert evaluation.costs[held, 0].tolist() == column[held].tolist()
    nets = FBNET.sample(20, rng=rng)
    for device in ("edgegpu", "raspi4", "pixel3", "eyeriss", "fpga"):
        measured = make_problem("fbnet", device=device, source="measured")
        costs = measured.evaluate(nets).costs[:, 0].tolist()
        official = [
            bench.value("fbnet", n, dataset="ImageNet", name=f"{device}_latency")
            for n in nets
        ]
        # upstream's sum rounds at every layer, ours once an entry
        assert costs == pytest.approx(official, rel=1e-14)
        assert measured.provenance["latency_ms"].kind == "measured"
        assert measured.provenance["latency_ms"].sha256 == bench.sha256


def test_unmeasured_device_raises_even_after_the_import(bench: HWNASBench) -> None:
    assert bench.holes() == {}
    with pytest.raises(NotMeasuredError, match="never measured on the edgetpu"):
        make_problem("fbnet", device="edgetpu", source="measured")
    auto = make_problem("fbnet", device="edgetpu", source="auto")
    assert auto.source == "builtin"
    assert make_problem("fbnet", device="fpga", source="auto").source == "measured"


def test_missing_data_names_the_import_command(cache: Path) -> None:
    with pytest.raises(DataMissingError, match="hwnas-env data import"):
        make_problem("nasbench201", device="raspi4", source="measured")
    assert (
        make_problem("nasbench201", device="raspi4", source="auto").source == "builtin"
    )
    assert not (cache / f"{hwnasbench.BUNDLE}.json").exists()


def test_a_column_with_holes_is_reported_and_not_served(
    cache: Path, tmp_path: Path
) -> None:
    content = synthetic.official()
    content["nasbench201"]["cifar10"]["raspi4_latency"][3] = math.nan
    key = fbnet.block_key(fbnet.layers("ImageNet")[4], 2)
    content["fbnet"]["pixel3_latency"][key] = math.nan
    bench = import_pickle(synthetic.write(tmp_path / "holes.pickle", content))
    assert bench.holes() == {
        "nasbench201/cifar10/raspi4_latency": 1,
        "fbnet/ImageNet/pixel3_latency": 1,
    }
    with pytest.raises(NotMeasuredError, match="1 values of raspi4_latency"):
        make_problem("nasbench201", device="raspi4", source="measured")
    with pytest.raises(NotMeasuredError, match="entries of pixel3_latency"):
        make_problem("fbnet", device="pixel3", source="measured")
    with pytest.raises(NotMeasuredError, match="holds no raspi4_latency"):
        bench.value("nasbench201", 3, dataset="cifar10", name="raspi4_latency")
    row = bench.query("nasbench201", 3, dataset="cifar10")
    assert "raspi4_latency" not in row
    assert "average_hw_metric" not in row
    # What is complete beside it is served.
    other = make_problem("nasbench201", device="pixel3", source="measured")
    assert other.source == "measured"
    assert cache.is_dir()


def _without(content: dict[str, Any], *path: str) -> dict[str, Any]:
    copy = dict(content)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _without(copy[path[0]], *path[1:])
    return copy


def _with(content: Any, value: Any, *path: Any) -> Any:
    copy = content.copy()
    copy[path[0]] = value if len(path) == 1 else _with(copy[path[0]], value, *path[1:])
    return copy


FOREIGN = {
    "a list": (lambda c: [c], "is a list, expected a dictionary"),
    "no fbnet": (lambda c: _without(c, "fbnet"), "has no 'fbnet'; it has nasbench201"),
    "no dataset": (lambda c: _without(c, "nasbench201", "cifar100"), "'cifar100'"),
    "no column": (
        lambda c: _without(c, "nasbench201", "cifar10", "fpga_energy"),
        "has no 'fpga_energy'",
    ),
    "short column": (
        lambda c: _with(c, [1.0] * 15624, "nasbench201", "cifar10", "fpga_energy"),
        r"expected 15625 values, got shape \(15624,\)",
    ),
    "words": (
        lambda c: _with(c, ["x"] * 15625, "nasbench201", "cifar10", "fpga_energy"),
        "expected numbers",
    ),
    "negative": (
        lambda c: _with(c, [-2.0] * 15625, "nasbench201", "cifar10", "fpga_energy"),
        "row 0 is -2.0",
    ),
    "other order": (
        lambda c: _with(
            c,
            c["nasbench201"]["cifar10"]["config"][::-1],
            *("nasbench201", "cifar10", "config"),
        ),
        "row 0 is",
    ),
    "rows counted from 1": (
        lambda c: _with(
            c,
            dict(enumerate(c["nasbench201"]["cifar10"]["fpga_energy"], start=1)),
            *("nasbench201", "cifar10", "fpga_energy"),
        ),
        "15625 keys from 1, expected the rows 0 to 15624",
    ),
    "configurations counted from 1": (
        lambda c: _with(
            c,
            dict(enumerate(c["nasbench201"]["cifar10"]["config"], start=1)),
            *("nasbench201", "cifar10", "config"),
        ),
        "15625 keys from 1, expected the rows 0 to 15624",
    ),
    "zeros": (
        lambda c: _with(c, [0.0] * 15625, "nasbench201", "cifar10", "fpga_energy"),
        "no value is above 0",
    ),
    "zeros and holes": (
        lambda c: _with(
            c, [0.0, None] * 7812 + [0.0], "nasbench201", "cifar10", "fpga_energy"
        ),
        "no value is above 0",
    ),
    "nothing compiled": (
        lambda c: _with(c, [-1.0] * 15625, "nasbench201", "cifar10", "edgetpu_latency"),
        "no value is above 0",
    ),
    "blocks of zeros": (
        lambda c: _with(
            c, dict.fromkeys(c["fbnet"]["fpga_energy"], 0.0), "fbnet", "fpga_energy"
        ),
        "no value is above 0",
    ),
    "a negative block": (
        lambda c: _with(
            c, -0.5, "fbnet", "fpga_energy", next(iter(c["fbnet"]["fpga_energy"]))
        ),
        "is -0.5, expected a cost",
    ),
    "no table of blocks": (
        lambda c: _with(c, 1.5, "fbnet", "edgegpu_latency"),
        "fbnet, edgegpu_latency is 1.5, expected a dictionary",
    ),
    "a number without end": (
        lambda c: _with(c, [10**400] * 15625, "nasbench201", "cifar10", "fpga_energy"),
        "holds an infinite value",
    ),
    "a block's name without end": (
        lambda c: _with(c, 1.0, "fbnet", "edgegpu_latency", "x" * 10**6),
        "expected a block's name",
    ),
    "a configuration by a number": (
        lambda c: _with(c, 1, "nasbench201", "cifar10", "config", 5, 7),
        "row 5 holds more than plain values",
    ),
    "an array as architecture": (
        lambda c: _with(
            c, np.zeros(3), "nasbench201", "cifar10", "config", 5, "arch_str"
        ),
        "row 5 is an array of shape",
    ),
    "an array of text": (
        lambda c: _with(
            c, np.array(["x"] * 15625), "nasbench201", "cifar10", "fpga_energy"
        ),
        "expected numbers",
    ),
    "no block": (
        lambda c: _with(c, {"ConvNorm": 1.0}, "fbnet", "fpga_energy"),
        "has no 'ConvNorm_H32",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_content_is_refused(name: str, content: dict[str, Any]) -> None:
    change, message = FOREIGN[name]
    with pytest.raises(ForeignFileError, match=message) as caught:
        official_arrays(change(content))
    assert len(str(caught.value)) < 400


def test_a_foreign_pickle_leaves_nothing(
    cache: Path, tmp_path: Path, content: dict[str, Any]
) -> None:
    path = synthetic.write(tmp_path / "foreign.pickle", _without(content, "fbnet"))
    with pytest.raises(ForeignFileError, match="has no 'fbnet'"):
        import_pickle(path)
    assert not cache.exists()


def test_a_file_that_is_not_upstreams_says_so_everywhere(
    cache: Path,
    tmp_path: Path,
    content: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = synthetic.write(tmp_path / "official.pickle", content)
    monkeypatch.setattr(hwnasbench, "GIT_BLOB", git_blob_id(path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench = import_pickle(path)
    assert bench.is_upstream
    assert "which is upstream's file" in bench.origin
    official = make_problem("nasbench201", device="fpga", source="measured")
    provenance = official.provenance["latency_ms"]
    assert provenance.method == "looked up in the official table"
    assert provenance.citation == hwnasbench.CITATION
    # One bit of one value, 4.05776 to 4.30776, and nothing else gives it away.
    table = content["nasbench201"]["cifar10"]["fpga_latency"]
    changed = _with(
        content, table[5] + 0.25, "nasbench201", "cifar10", "fpga_latency", 5
    )
    with pytest.warns(UserWarning, match="changed.pickle, which is not upstream's"):
        bench = import_pickle(synthetic.write(tmp_path / "changed.pickle", changed))
    assert not bench.is_upstream
    for space in ("nasbench201", "fbnet"):
        problem = make_problem(space, device="fpga", source="measured")
        provenance = problem.provenance["latency_ms"]
        assert "official" not in provenance.method
        assert "changed.pickle, which is not upstream's file" in provenance.method
        assert provenance.citation.startswith("a file other than")
    assert "not upstream's" in CliRunner().invoke(app, ["data", "check"]).output
    assert cache.is_dir()


def test_a_failed_import_keeps_what_was_there(
    bench: HWNASBench, tmp_path: Path, cache: Path
) -> None:
    before = sorted(path.name for path in cache.iterdir())
    whole = (tmp_path / "official.pickle").read_bytes()
    (tmp_path / "half.pickle").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedFileError):
        import_pickle(tmp_path / "half.pickle")
    assert sorted(path.name for path in cache.iterdir()) == before
    assert HWNASBench.open().sha256 == bench.sha256


def test_a_cache_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HWNAS_ENV_CACHE", str(tmp_path / "file" / "cache"))
    path = synthetic.write(tmp_path / "official.pickle", content)
    with pytest.raises(DataError, match="cannot write the cache"):
        import_pickle(path)
    # Accuracy is then read again each time instead of failing.
    assert make_problem("nasbench201", device="fpga").has_train_seconds


def test_damage_in_the_cache_is_found_and_mended(
    bench: HWNASBench, cache: Path, tmp_path: Path
) -> None:
    assert cached.check(hwnasbench.BUNDLE) == []
    folder = next(path for path in cache.iterdir() if path.is_dir())
    victim = folder / "004.npy"
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(bytes(content))
    assert "SHA-256" in cached.check(hwnasbench.BUNDLE)[0]
    victim.unlink()
    assert "missing" in cached.check(hwnasbench.BUNDLE)[0]
    with pytest.raises(ChecksumError, match="import it again"):
        HWNASBench.open()
    again = import_pickle(tmp_path / "official.pickle")
    assert cached.check(hwnasbench.BUNDLE) == []
    assert again.sha256 == bench.sha256
    (cache / f"{hwnasbench.BUNDLE}.json").write_text("{")
    with pytest.raises(ChecksumError, match="delete it"):
        HWNASBench.open()


def test_wrong_names_name_the_nearest(bench: HWNASBench) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'raspi4_latency'"):
        bench.value("nasbench201", 0, dataset="cifar10", name="rasp4_latency")
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10'"):
        bench.query("nasbench201", 0, dataset="cifar-10")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_fetch_imports_verified_bytes_and_nothing_else(
    cache: Path, tmp_path: Path, content: dict[str, Any]
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    path = synthetic.write(served / "official.pickle", content)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(served))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/official.pickle"
        with pytest.raises(ChecksumError, match=hwnasbench.GIT_BLOB):
            fetch(url=url)
        assert not cache.exists()
        bench = fetch(url=url, git_blob=git_blob_id(path))
        assert bench.sha256 == cached.sha256(path)
        with pytest.raises(DataError, match="hwnas-env data import"):
            fetch(url=url.replace("official", "absent"))
    finally:
        server.shutdown()
        server.server_close()


def test_git_blob_id_is_gits_own(tmp_path: Path) -> None:
    (tmp_path / "hello").write_text("hello\n")
    # git hash-object of a file that holds "hello\n"
    expected = "ce013625030ba8dba906f756967f9e9ca394464a"
    assert git_blob_id(tmp_path / "hello") == expected


@pytest.mark.data
def test_published_examples_come_through_the_importer(
    reference: Path, cache: Path
) -> None:
    bench = import_pickle(reference / "HW-NAS-Bench-v1_0.partial.pickle")
    text = (reference / "hwnasbench_published_examples.json").read_text()
    examples = json.loads(text)
    compared = 0
    for dataset, rows in examples["nasbench201"].items():
        for index, published in rows.items():
            held = bench.query("nasbench201", int(index), dataset=dataset)
            for name, value in held.items():
                # cifar10 is held as published; the rest of the file was derived.
                exact = dataset == "cifar10"
                assert value == pytest.approx(
                    published[name], rel=0 if exact else 1e-12
                )
                compared += 1
    for dataset, networks in examples["fbnet"].items():
        for published in networks:
            held = bench.query("fbnet", published["op_idx_list"], dataset=dataset)
            for name, value in held.items():
                assert value == pytest.approx(published[name], rel=1e-12)
                compared += 1
    assert compared >= 45
    assert bench.holes()["nasbench201/cifar10/raspi4_latency"] == 2001
    with pytest.raises(NotMeasuredError):
        make_problem("nasbench201", device="raspi4", source="measured")
    complete = make_problem("nasbench201", device="fpga", source="measured")
    assert complete.source == "measured"
    assert cache.is_dir()
