"""Import of Accel-NASBench's archive: what is held of few networks, and what is not."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

import hwnas_env
from hwnas_env import AccelNASBench
from hwnas_env.cli import app
from hwnas_env.data.formats import accel_nasbench
from hwnas_env.data.formats.accel_nasbench import COLUMNS, import_archive
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    NotMeasuredError,
    TruncatedFileError,
    UnknownNameError,
)
from hwnas_env.spaces.mnasnet import EFFICIENTNET_B0, SPACE, blocks_at
from hwnas_env.types import Genotypes

pytestmark = pytest.mark.usefixtures("cache")

B0 = SPACE.decode(EFFICIENTNET_B0)


def record(genotype: Genotypes, *, seed: int = 0, millions: bool = True) -> Any:
    """A made-up file of one network, in the public form."""
    rng = np.random.default_rng([seed, *genotype.tolist()])
    architecture: dict[str, Any] = {}
    for position, choice in enumerate(genotype):
        block = blocks_at(position)[choice]
        architecture[f"block{position}_e"] = block.expansion
        architecture[f"block{position}_k"] = block.kernel
        architecture[f"block{position}_l"] = block.layers
        architecture[f"block{position}_se"] = block.squeeze
    scale = 1e6 if millions else 1
    return {
        "architecture": architecture,
        "metrics": dict(
            zip(
                COLUMNS[:3], rng.random(3) + np.array([60.0, 80.0, 2000.0]), strict=True
            )
        ),
        "model_info": {
            "params": int(SPACE.parameters(genotype)[0]) / scale,
            "macs": int(SPACE.flops(genotype)[0]) / scale,
        },
        "platform_perf": {
            name: {
                f"{name.split('_')[0]}_mean": 5.0 + rng.random(),
                f"{name.split('_')[0]}_std": 0.1,
            }
            for name in COLUMNS[3:]
        },
    }


def packed(members: Mapping[str, bytes], path: Path) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as pack:
            for name, content in members.items():
                pack.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def as_files(records: list[Any]) -> dict[str, bytes]:
    return {
        f"results/result_{n}.json": json.dumps(one).encode()
        for n, one in enumerate(records)
    }


@pytest.fixture
def networks(rng: np.random.Generator) -> Genotypes:
    return np.concatenate([EFFICIENTNET_B0[None], SPACE.sample(8, rng=rng)])


@pytest.mark.parametrize("name", ["anb.tar.gz", "anb.tar", "anb.zip"])
@pytest.mark.parametrize("millions", [True, False])
def test_every_network_answers_value_for_value(
    name: str, millions: bool, networks: Genotypes, tmp_path: Path
) -> None:
    records = [record(one, millions=millions) for one in networks]
    members = {"results/notes.txt": b"x", **as_files(records)}
    bench = import_archive(packed(members, tmp_path / name))
    assert len(bench) == len(networks)
    assert bench.repeated == 0
    assert bench.holes() == {}
    for genotype, one in zip(networks, records, strict=True):
        held = bench.query(genotype)
        assert held == bench.query(SPACE.decode(genotype))
        assert held["val_top1"] == one["metrics"]["val_top1"]
        for column in COLUMNS[3:]:
            kind = column.split("_")[0]
            assert held[column] == one["platform_perf"][column][f"{kind}_mean"]
    again = AccelNASBench.open()
    assert (again.genotypes == bench.genotypes).all()
    assert again.provenance.kind == "measured"
    assert name in again.provenance.method


def test_holes_stay_holes_and_repeated_networks_count_once(
    networks: Genotypes, tmp_path: Path
) -> None:
    records = [record(one) for one in networks]
    del records[1]["platform_perf"]["throughput_tpuv2"]
    records[2]["platform_perf"]["latency_zcu102"]["latency_mean"] = float("nan")
    records[3]["metrics"]["val_top5"] = None
    del records[4]["model_info"]
    records.append(record(networks[0], seed=7))
    bench = import_archive(packed(as_files(records), tmp_path / "anb.tar.gz"))
    assert len(bench) == len(networks)
    assert bench.repeated == 1
    assert bench.holes() == {"val_top5": 1, "latency_zcu102": 1, "throughput_tpuv2": 1}
    assert "throughput_tpuv2" not in bench.query(networks[1])
    assert bench.query(networks[0])["val_top1"] == records[0]["metrics"]["val_top1"]


def test_an_unknown_network_names_the_nearest(
    networks: Genotypes, tmp_path: Path
) -> None:
    bench = import_archive(
        packed(as_files([record(networks[0])]), tmp_path / "anb.tar.gz")
    )
    other = EFFICIENTNET_B0.copy()
    other[2] = 0
    with pytest.raises(NotMeasuredError, match=f"1 blocks away, is {B0[:20]}"):
        bench.query(other)


def test_measured_values_are_queried_and_no_source(
    networks: Genotypes, tmp_path: Path
) -> None:
    with pytest.raises(DataMissingError, match="data import accel-nasbench"):
        hwnas_env.make_problem("mnasnet", device="a100", source="measured")
    path = packed(as_files([record(one) for one in networks]), tmp_path / "a.tar.gz")
    runner = CliRunner()
    done = runner.invoke(app, ["data", "import", "accel-nasbench", str(path)])
    assert done.exit_code == 0
    assert "imported 9 networks" in done.output
    held = AccelNASBench.open().query(B0)
    with pytest.raises(NotMeasuredError, match="9 of 104,485,552,128 networks"):
        hwnas_env.make_problem("mnasnet", device="a100", source="measured")
    with pytest.raises(NotMeasuredError, match="9 of 104,485,552,128 networks"):
        gym.make("HWNAS-MnasNet-A100-v0", source="measured")
    for device, column in (("RTX3090", "3090"), ("ZCU102", "zcu102")):
        env = f"HWNAS-MnasNet-{device}-v0"
        command = ["query", B0, "--env", env, "--source", "measured", "--json"]
        done = runner.invoke(app, command)
        values = json.loads(done.output)["values"]
        assert values["accuracy"]["value"] == held["val_top1"]
        assert values["throughput_ips"]["value"] == held[f"throughput_{column}"]
        assert values["image_ms"]["value"] == 1000.0 / held[f"throughput_{column}"]
        assert ("latency_ms" in values) == (device == "ZCU102")
        assert {value["kind"] for value in values.values()} == {"measured"}
    missing = ["query", "|".join(["e1_k3_l1"] * 7), "--env", env]
    done = runner.invoke(app, [*missing, "--source", "measured"])
    assert done.exit_code != 0
    assert isinstance(done.exception, NotMeasuredError)


GOOD = record(EFFICIENTNET_B0)


def changed(*path: str, to: Any) -> bytes:
    copy = json.loads(json.dumps(GOOD))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "'architecture'"),
        (changed("architecture", to=[]), "'architecture'"),
        (changed("architecture", "block3_k", to=7), "e6_k7_l3_se"),
        (changed("architecture", "block3_k", to=True), "expected a whole number"),
        (changed("architecture", "block3_se", to=2), "expected true or false"),
        (changed("architecture", "block2_l", to=4), "e6_k5_l4_se"),
        (changed("metrics", to=None), "'metrics'"),
        (changed("metrics", "val_top1", to=-1.0), "val_top1: expected a number above"),
        (changed("metrics", "val_top1", to="66"), "val_top1: expected a number above"),
        (changed("metrics", "train_time", to=10**400), "train_time"),
        (changed("platform_perf", "latency_zcu102", to=5.0), "latency_zcu102: got 5.0"),
        (changed("platform_perf", to=3), "'platform_perf'"),
        (changed("metrics", "val_top1", to=150.0), "percent, val_top1 at most"),
        (changed("metrics", "val_top1", to=99.0), "percent, val_top1 at most"),
        (
            changed("platform_perf", "latency_zcu102", "latency_mean", to=5e-324),
            "latency_mean: expected a number",
        ),
        (changed("model_info", to=[]), "'model_info'"),
        (changed("model_info", "params", to=5.3), "params is 5.3, the network has"),
    ],
    ids=range(19),
)
def test_what_is_no_network_of_the_archive_is_refused_by_its_name(
    content: bytes, words: str, tmp_path: Path
) -> None:
    members = {"a.json": json.dumps(GOOD).encode(), "b.json": content}
    path = packed(members, tmp_path / "anb.tar.gz")
    with pytest.raises(ForeignFileError, match=r"anb\.tar\.gz: b\.json") as caught:
        import_archive(path)
    assert words in str(caught.value)
    with pytest.raises(DataMissingError):
        AccelNASBench.open()


def test_damaged_and_foreign_archives_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(as_files([GOOD]), tmp_path / "anb.tar.gz")
    whole = path.read_bytes()
    plain = packed(as_files([GOOD] * 3), tmp_path / "plain.tar").read_bytes()
    ends = [whole[:-n] for n in (1, 8, 20, len(whole) // 2)]
    second = plain.index(b"results/result_1.json")  # ends between two files
    ends += [plain[:second], plain[: second + 700], plain[: len(plain) // 2]]
    for content in (b"", b"no archive", *ends):
        path.write_bytes(content)
        with pytest.raises((TruncatedFileError, ForeignFileError)):
            import_archive(path)
    with pytest.raises(ForeignFileError, match="no network in it"):
        import_archive(packed({"x.txt": b"x"}, path))
    large = json.dumps(GOOD).encode() + b" " * (1 << 20)
    for name in ("anb.tar.gz", "anb.zip"):
        with pytest.raises(ForeignFileError, match="expected a network's"):
            import_archive(packed({"a.json": large}, tmp_path / name))
    monkeypatch.setattr(accel_nasbench, "MOST_FILES", 2)
    with pytest.raises(ForeignFileError, match="more than 2 files"):
        import_archive(packed(as_files([GOOD] * 3), tmp_path / "anb.tar.gz"))


def test_what_archives_say_of_their_size_is_not_believed(tmp_path: Path) -> None:
    good = json.dumps(GOOD).encode()
    path = tmp_path / "anb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.json", good)
        pack.writestr("b.json", bytes(5 << 20))
    content = path.read_bytes()
    # the second member says that it has 1,000 bytes, in both places
    said, true = (size.to_bytes(4, "little") for size in (1000, 5 << 20))
    forged = content.replace(true, said)
    assert forged != content
    path.write_bytes(forged)
    with pytest.raises((TruncatedFileError, ForeignFileError)):
        import_archive(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as pack:
        pack.writestr("a.json", good * 9)
    damaged = bytearray(path.read_bytes())
    damaged[60:90] = bytes(30)
    path.write_bytes(bytes(damaged))
    with pytest.raises(TruncatedFileError, match="damaged"):
        import_archive(path)


def test_gzip_streams_may_follow_one_another(tmp_path: Path) -> None:
    plain = packed(as_files([GOOD]), tmp_path / "plain.tar").read_bytes()
    path = tmp_path / "anb.tar.gz"
    path.write_bytes(gzip.compress(plain[:700]) + gzip.compress(plain[700:]))
    assert len(import_archive(path)) == 1
    path.write_bytes(gzip.compress(plain) + b"garbage")
    with pytest.raises(TruncatedFileError):
        import_archive(path)


def test_a_repeated_network_fills_holes_of_the_first(tmp_path: Path) -> None:
    first = json.loads(json.dumps(GOOD))
    del first["platform_perf"]["latency_zcu102"]
    bench = import_archive(packed(as_files([first, GOOD]), tmp_path / "anb.tar"))
    expected = GOOD["platform_perf"]["latency_zcu102"]["latency_mean"]
    assert bench.query(B0)["latency_zcu102"] == expected
    with pytest.raises(UnknownNameError, match="unknown column of Accel-NASBench"):
        bench.column("val_top")


def test_the_command_names_the_forms_of_archives() -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["data", "import", "accel-nasbnch", "x.tar.gz"])
    assert "did you mean 'accel-nasbench'" in str(done.exception)
    command = ["data", "import", "accel-nasbench", "x.tar.gz", "--epochs", "3"]
    assert runner.invoke(app, command).exit_code == 2
