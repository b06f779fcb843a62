"""Kills at random moments: what is started again ends as if nothing had happened."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import synthetic

PATIENCE = 300
"""Seconds after which a command that goes on is a failure."""


def command(*words: str) -> list[str]:
    """Returns a call of the command line."""
    return [sys.executable, "-m", "hwnas_env", *words]


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of all files below a folder, less locks, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


class Trial:
    """A command, the folder that it writes to, and what is there at its end."""

    def __init__(self, name: str, words: list[str], target: Path, cache: Path) -> None:
        """Runs it once undisturbed; ``{}`` in the words is the folder."""
        self.name, self._words, self._target = name, words, target
        self._environment = {**os.environ, "HWNAS_ENV_CACHE": str(cache)}
        if name == "import":  # which writes to the cache
            self._environment["HWNAS_ENV_CACHE"] = str(target)
        start = time.monotonic()
        self._finish()
        self._duration = time.monotonic() - start
        self._whole = contents(target)
        assert self._whole, f"{name} wrote nothing"

    def _command(self) -> list[str]:
        return command(*(word.replace("{}", str(self._target)) for word in self._words))

    def _finish(self) -> None:
        subprocess.run(
            self._command(),
            env=self._environment,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )

    def kill(self, *, rng: np.random.Generator) -> str | None:
        """Kills it one to three times, lets it end, and compares."""
        for path in sorted(self._target.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        moments = (rng.random(int(rng.integers(1, 4))) * self._duration).tolist()
        for moment in moments:
            process = subprocess.Popen(
                self._command(),
                env=self._environment,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        try:
            self._finish()
        except subprocess.SubprocessError as error:
            said = (getattr(error, "stderr", None) or b"").decode()[-500:]
            return f"kills {self.name} at {moments}: {error} {said}"
        found = contents(self._target)
        if found != self._whole:
            names = sorted(
                key
                for key in {*found, *self._whole}
                if found.get(key) != self._whole.get(key)
            )
            return f"kills {self.name} at {moments}: other bytes in {names[:5]}"
        return None


def trials(folder: Path) -> list[Trial]:
    """Builds the commands that are killed."""
    folder.mkdir(parents=True)
    cache = folder / "cache"
    source = synthetic.write(folder / "official.pickle", synthetic.official())
    records = folder / "records"
    found = []
    for name, words in (
        ("import", f"data import {source}"),
        (
            "run",
            "run --env HWNAS-FBNet-FPGA-v0 --agent evolution --seeds 6 --queries 200 "
            "--out {}",
        ),
        (
            "bench",
            "bench run smoke --agents random,evolution --seeds 2 --queries 60 --jobs 2 "
            "--out {}",
        ),
        ("report", f"bench report {records} -o {{}}/report.html"),
    ):
        target = folder / name
        target.mkdir()
        if name == "report":
            shutil.copytree(folder / "bench", records)
        found.append(Trial(name, words.split(), target, cache))
    return found


def run(folder: Path, *, seed: int, rounds: int) -> tuple[dict[str, int], list[str]]:
    """Kills every command ``rounds`` times; returns counts and failures."""
    counts, failures = {}, []
    for number, trial in enumerate(trials(folder)):
        for turn in range(rounds):
            failure = trial.kill(rng=np.random.default_rng([seed, number, turn]))
            failures += [failure] if failure else []
        counts[f"kills of {trial.name}"] = rounds
    return counts, failures
