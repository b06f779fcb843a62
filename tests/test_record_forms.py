"""The forms of records: compressed or plain, of this schema or of the one before."""

import gzip
import json
import re
import shutil
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from record_files import put, text_of

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_file, load_folder, record_of
from hwnas_env.benchmark.records import (
    OLD_SCHEMA,
    record_path,
    records_in,
    uncompressed,
    write_record,
)
from hwnas_env.benchmark.runner import load_or_run, run_jobs
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.benchmark.validate import record_files, validate
from hwnas_env.data.files import LARGEST_BYTES
from hwnas_env.data.gzipped import HEADER, packed, unpacked
from hwnas_env.errors import DataError, TruncatedFileError
from hwnas_env.spaces import SEARCH_SPACES

CELL = Job(Task("HWNAS-NASBench201-EdgeTPU-v0"), "random", 0, Limits(3))
NET = Job(Task("HWNAS-FBNet-EdgeTPU-v0"), "random", 0, Limits(3))
FRONT = Job(
    Task("HWNAS-MnasNet-ZCU102-v0", budget=None, objectives=("accuracy", "latency_ms")),
    *("random", 0, Limits(8)),
)
OLD = Path(__file__).parent / "records"
"""Records of three queries of the schema before: plain, and networks as numbers."""


def test_a_record_is_one_gzip_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        load_or_run(CELL, folder)
    first, second = (record_path(tmp_path / name, CELL) for name in "ab")
    content = first.read_bytes()
    assert content == second.read_bytes()
    assert content[:10] == HEADER  # no time and no name
    assert gzip.decompress(content) == unpacked(content) == text_of(first).encode()
    assert len(content) < len(text_of(first)) / 2


@pytest.mark.parametrize("job", [CELL, NET], ids=["cell", "net"])
def test_records_of_the_schema_before_hold_and_are_gone_on_with(
    job: Job, tmp_path: Path
) -> None:
    shutil.copytree(OLD, tmp_path, dirs_exist_ok=True)
    path = uncompressed(record_path(tmp_path, job))
    assert json.loads(path.read_text().split("\n")[0])["schema"] == OLD_SCHEMA
    assert validate(path).differences == ()
    before = path.read_bytes()
    (run,) = run_jobs([job], folder=tmp_path)
    assert load_file(path)[1] == run == load_or_run(job, tmp_path / "new")
    assert path.read_bytes() == before
    assert not record_path(tmp_path, job).exists()
    assert len(load_folder(tmp_path).found) == len(records_in(tmp_path)) == 2


def test_networks_are_written_as_their_schema_says(tmp_path: Path) -> None:
    load_or_run(NET, tmp_path)
    path = record_path(tmp_path, NET)
    text = text_of(path)
    for change in (
        lambda text: text.replace('"genotype": "g', '"genotype": "'),
        lambda text: text.replace('"genotype": "g', '"genotype": "gg'),
        lambda text: text.replace("run.v3", "run.v2"),
    ):
        put(path, change(text))
        assert any("genotype" in line for line in validate(path).differences)
        with pytest.raises(DataError, match=re.escape(path.name)):
            load_file(path)


def test_one_job_in_both_forms_counts_once_or_is_a_fault(tmp_path: Path) -> None:
    run = load_or_run(CELL, tmp_path)
    path = record_path(tmp_path, CELL)
    other = uncompressed(path)
    write_record(other, record_of(CELL, run, schema=OLD_SCHEMA))
    loaded = load_folder(tmp_path)
    assert [found for _, found in loaded.found] == [run]
    assert (len(loaded.headers), loaded.faults) == (1, [])
    assert run_jobs([CELL], folder=tmp_path) == [run]
    assert record_files(tmp_path) == [other, path]
    assert [validate(one).differences for one in (other, path)] == [(), ()]
    short = replace(run, networks=run.networks[:2], queries=2, unique_queries=2)
    write_record(other, record_of(CELL, short))
    words = f"{path.name}: of the same job as {other.name}, and differs"
    (fault,) = load_folder(tmp_path).faults
    assert fault.startswith(words)
    with pytest.raises(DataError, match="of the same job as"):
        run_jobs([CELL], folder=tmp_path)


def test_what_killed_processes_left_of_either_form_is_removed(tmp_path: Path) -> None:
    load_or_run(CELL, tmp_path)
    path = record_path(tmp_path, CELL)
    others = tmp_path / "others.jsonl.gz.0123456789ab.part"
    for name in (path.name, uncompressed(path).name):
        (tmp_path / f"{name}.0123456789ab.part").write_text("half")
    others.write_text("half")
    run_jobs([CELL], folder=tmp_path)
    assert {*tmp_path.iterdir()} == {path, others}


def bomb(size: int, *, says: int | None = None) -> bytes:
    """A gzip of so many zeros, in one member, that may say another size."""
    block = bytes(1 << 20)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    once = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    body = once * (size >> 20) + deflate.flush()
    end = size if says is None else says
    return HEADER + body + bytes(4) + (end & 0xFFFFFFFF).to_bytes(4, "little")


WHOLE = packed(b"a line\n" * 1000)
DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb": (lambda: bomb(10 << 30), "bytes unpacked, expected"),
    "lying bomb": (lambda: bomb(10 << 30, says=1000), "within the 1,000 bytes"),
    "no gzip": (lambda: b"a line\n", "no whole gzip: "),
    "empty": (lambda: b"", "no whole gzip: "),
    "cut": (lambda: WHOLE[:-12], ""),
    "changed": (lambda: WHOLE[:20] + bytes([WHOLE[20] ^ 255]) + WHOLE[21:], "gzip"),
    "checksum": (lambda: WHOLE[:-5] + b"\0" + WHOLE[-4:], "incorrect data check"),
    "garbage": (lambda: WHOLE + b"garbage", ""),
    "members": (lambda: WHOLE + WHOLE, "something behind the end"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_hostile_gzip_is_a_named_fault_within_bounds(
    name: str, tmp_path: Path
) -> None:
    make, words = DAMAGED[name]
    load_or_run(CELL, tmp_path)
    path = tmp_path / "hostile.jsonl.gz"
    path.write_bytes(make())
    tracemalloc.start()
    loaded = load_folder(tmp_path)
    verdict = validate(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100 << 20
    assert len(loaded.found) == 1
    for (sentence,) in (loaded.faults, verdict.differences):
        assert sentence.startswith(path.name)
        assert words in sentence


def test_what_is_too_large_to_be_read_is_too_large_unpacked() -> None:
    with pytest.raises(TruncatedFileError, match=f"{LARGEST_BYTES:,} at most"):
        unpacked(bomb(LARGEST_BYTES, says=LARGEST_BYTES + 1))


@pytest.mark.parametrize(
    ("job", "space"),
    [(CELL, "nasbench201"), (NET, "fbnet"), (FRONT, "mnasnet")],
    ids=["cell", "net", "front"],
)
def test_pandas_reads_every_network_as_it_is(
    job: Job, space: str, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    run = load_or_run(job, tmp_path)
    path = record_path(tmp_path, job)
    frame = pandas.read_json(path, lines=True)
    words = frame["genotype"].dropna().tolist()
    found = SEARCH_SPACES[space]
    assert [word[1:] for word in words] == list(run.networks)
    genotypes = found.from_words(run.networks)
    np.testing.assert_array_equal(found.from_words(words), genotypes)
    plain = uncompressed(path)
    put(plain, text_of(path))
    assert pandas.read_json(plain, lines=True).equals(frame)


def test_long_names_of_agents_make_names_that_every_system_takes(
    tmp_path: Path,
) -> None:
    job = replace(CELL, agent="misbehaving:" + "a" * 400)
    assert len(record_path(tmp_path, job).name) + len(".0123456789ab.part") <= 255
    assert record_path(tmp_path, job) != record_path(tmp_path, replace(job, seed=1))
