"""Hostile files: each is read in full, or is an error of this package."""

import contextlib
import functools
import hashlib
import io
import json
import os
import pickle
import pickletools
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import hwnas_env
from hwnas_env import wrappers
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder
from hwnas_env.benchmark.records import record_path, uncompressed
from hwnas_env.benchmark.runner import run_jobs
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.benchmark.validate import validate
from hwnas_env.data import cache, unpickle
from hwnas_env.data.formats import hwnasbench
from hwnas_env.data.gzipped import packed, unpacked
from hwnas_env.errors import HWNASError
from hwnas_env.reports.page.bench_report import write_report
from hwnas_env.spaces.nasbench201.imports import import_accuracy
from hwnas_env.wrappers.recordings import read_trajectories
from hwnas_env.wrappers.replays import replay
from tests.campaign.odd import changed, damaged
from tests.campaign.sandbox import attempt

BATCH = 25
SECONDS = 120
"""A batch of files may take so long, on a busy machine."""

Draw = Callable[[np.random.Generator, Path], None]


class Samples:
    """Valid files, made once, that hostile ones are made of."""

    def __init__(self, folder: Path) -> None:
        """Writes them."""
        folder.mkdir(parents=True)
        rng = np.random.default_rng(0)
        space = hwnas_env.make_problem("nasbench201", device="fpga").space
        percent = rng.uniform(10, 94, (space.size, 2)).round(3)
        stream = io.BytesIO()
        np.savez_compressed(stream, cifar10=percent, index=np.arange(space.size))
        self.npz = stream.getvalue()
        rows = enumerate(percent[:, 0].tolist())
        self.csv = ("index,cifar10\n" + "".join(f"{i},{p}\n" for i, p in rows)).encode()
        table = {"x": np.arange(12.0).reshape(3, 4), "y": [1.5, 2, None], 3: "text"}
        small: list[Any] = [table, [table] * 3, (np.float64(3), "x", b"y"), {"a": {}}]
        self.pickles = [pickle.dumps(v, protocol=p) for v in small for p in range(2, 6)]
        self.records = self._records(folder / "records")
        self.recording = self._recording(folder / "recording.jsonl")

    def _records(self, folder: Path) -> list[list[Any]]:
        cell, net = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-Pixel3-v0"
        tasks = [
            Task(cell),
            Task(net),
            Task(cell, budget=None, objectives=("accuracy", "latency_ms")),
            Task("HWNAS-FBNet-FPGA-v0", train=(net,)),
        ]
        run_jobs([Job(t, "evolution", 0, Limits(8)) for t in tasks], folder=folder)
        return [
            [json.loads(line) for line in unpacked(path.read_bytes()).splitlines()]
            for path in sorted(folder.iterdir())
        ]

    def _recording(self, path: Path) -> list[Any]:
        env = gym.make("hwnas_env:HWNAS-NASBench201-FPGA-v0", budget="sampled")
        recorder = wrappers.TrajectoryRecorder(env, path)
        for seed in (1, None):
            _, info = recorder.reset(seed=seed)
            done = False
            while not done:
                action = int(np.flatnonzero(info["action_mask"])[0])
                *_, done, _, info = recorder.step(action)
        recorder.close()
        return [json.loads(line) for line in path.read_text().splitlines()]


def draws(samples: Samples) -> dict[str, Draw]:
    """Returns what draws and reads a hostile file, by the sort of file."""

    def pickles(rng: np.random.Generator, folder: Path) -> None:
        if rng.random() < 0.5:
            content = damaged(samples.pickles[rng.integers(16)], rng=rng)
        else:
            content = generated_pickle(rng)
        unpickle.loads(content, name="x.pickle")
        path = folder / "x.pickle"
        path.write_bytes(content)
        hwnasbench.import_pickle(path)

    def archives(rng: np.random.Generator, folder: Path) -> None:
        path = folder / "x.npz"
        path.write_bytes(damaged(samples.npz, rng=rng))
        import_accuracy(path, split="test", epochs=200)

    def tables(rng: np.random.Generator, folder: Path) -> None:
        path = folder / "x.csv"
        path.write_bytes(damaged(samples.csv, rng=rng))
        import_accuracy(path, split="test", epochs=200)

    def records(rng: np.random.Generator, folder: Path) -> None:
        lines = samples.records[rng.integers(len(samples.records))]
        place = int(rng.integers(len(lines)))
        lines = [*lines[:place], changed(lines[place], rng=rng), *lines[place + 1 :]]
        path = folder / "x.jsonl"
        header = lines[0] if isinstance(lines[0], dict) else {}
        with contextlib.suppress(HWNASError):  # under the name that it should have
            path = record_path(folder, Job.from_request(header.get("request")))
        path = path if rng.random() < 0.5 else uncompressed(path)
        content = signed(lines)
        path.write_bytes(packed(content) if path.suffix == ".gz" else content)
        if rng.random() < 0.2:
            path.write_bytes(damaged(path.read_bytes(), rng=rng))
        loaded = load_folder(folder)
        validate(path)
        if rng.random() < 0.02:
            write_report(loaded, folder / "report.html")

    def manifests(rng: np.random.Generator, _: Path) -> None:
        cache.store("x", {"a": np.arange(5.0), "b": np.zeros((2, 3))}, meta={"k": "v"})
        found = sorted(p for p in cache.cache_dir().rglob("*") if p.is_file())
        path = found[rng.integers(len(found))]
        if path.suffix == ".json" and rng.random() < 0.7:
            path.write_text(json.dumps(changed(json.loads(path.read_text()), rng=rng)))
        else:
            path.write_bytes(damaged(path.read_bytes(), rng=rng))
        cache.names()
        cache.check("x")
        cache.load("x")

    def recordings(rng: np.random.Generator, folder: Path) -> None:
        lines = list(samples.recording)
        for _ in range(int(rng.integers(1, 3))):
            place = int(rng.integers(len(lines)) if rng.random() < 0.5 else 0)
            lines[place] = changed(lines[place], rng=rng)
        text = "\n".join(json.dumps(line) for line in lines) + "\n"
        path = folder / "x.jsonl"
        path.write_bytes(text.encode())
        if rng.random() < 0.2:
            path.write_bytes(damaged(path.read_bytes(), rng=rng))
        for read in (read_trajectories, replay):
            try:
                read(path)
            except HWNASError:
                continue

    return {
        "pickles": pickles,
        "npz archives": archives,
        "csv tables": tables,
        "records": records,
        "manifests": manifests,
        "recordings": recordings,
    }


def signed(lines: list[Any]) -> bytes:
    """Writes a record whose checksum is right, whatever it says."""
    *before, last = lines
    if isinstance(last, dict):
        last = {key: value for key, value in last.items() if key != "sha256"}
        text = "\n".join(json.dumps(line) for line in [*before, last])
        last["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return "".join(json.dumps(line) + "\n" for line in [*before, last]).encode()


def generated_pickle(rng: np.random.Generator) -> bytes:
    """Draws a program of valid instructions in an order that nobody would write."""
    codes = pickletools.opcodes
    parts = [b"\x80\x02"]
    for _ in range(int(rng.integers(1, 60))):
        code = codes[rng.integers(len(codes))]
        argument = b""
        if code.arg is not None:
            size = code.arg.n if code.arg.n > 0 else int(rng.integers(1, 9))
            argument = rng.bytes(size)
            if code.arg.n < 0 and rng.random() < 0.7:
                argument = b"\x03abc" if "1" in code.arg.name else b"12\n"
        parts.append(code.code.encode("latin1") + argument)
        if rng.random() < 0.2:
            parts.append(parts[rng.integers(1, len(parts))] * int(rng.integers(1, 40)))
    return b"".join(parts) + b"."


def one(draw: Draw, seed: list[int], folder: Path) -> str | None:
    """Draws one file, and returns what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draw(np.random.default_rng(seed), folder)
    except HWNASError:
        return None
    except MemoryError:
        return f"files {seed}: MemoryError"
    except Exception as error:
        return f"files {seed}: {type(error).__name__}: {str(error)[:300]}"
    except BaseException as error:
        return f"files {seed}: {type(error).__name__} passed"
    return None


def read_batch(draw: Draw, seed: list[int], folder: Path) -> list[str]:
    """Draws a batch of files with a cache of its own, and returns the failures."""
    os.environ["HWNAS_ENV_CACHE"] = str(folder / "cache")
    found = [one(draw, [*seed, part], folder / str(part)) for part in range(BATCH)]
    return [failure for failure in found if failure]


def run(folder: Path, *, seed: int, rounds: int) -> tuple[dict[str, int], list[str]]:
    """Reads ``rounds`` batches of each sort; returns counts and failures."""
    samples = Samples(folder / "samples")
    counts: dict[str, int] = {}
    failures: list[str] = []
    for number in range(rounds):
        for sort, (name, draw) in enumerate(draws(samples).items()):
            place, drawn = folder / f"{number}-{sort}", [seed, number, sort]
            batch = functools.partial(read_batch, draw, drawn, place)
            failures += [f"{name}: {one}" for one in attempt(batch, seconds=SECONDS)]
            counts[name] = counts.get(name, 0) + BATCH
            shutil.rmtree(place, ignore_errors=True)
    return counts, failures
