"""Words of others: escaped where they are shown, and written to any stream."""

import io
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from hwnas_env.texts import write


class Tee:
    """What users put in the place of a stream: a class with one method."""

    encoding: Any = None

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "nothing", 5, "", None])
def test_any_stream_is_written_to(encoding: Any) -> None:
    tee = Tee()
    tee.encoding = encoding
    write("a │ b", tee)  # type: ignore[arg-type]
    assert tee.text == ("a │ b" if encoding in ("utf-8", "", None) else "a ? b")


def test_a_closed_stream_and_none_are_passed_over() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        write("a", stream)


def test_a_person_watches_through_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    tee = Tee()
    monkeypatch.setattr(sys, "stdout", tee)
    gym.make("HWNAS-FBNet-EdgeTPU-v0", render_mode="human").reset(seed=0)
    assert tee.text
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(closed=True))
    gym.make("HWNAS-FBNet-EdgeTPU-v0", render_mode="human").reset(seed=0)


def test_names_of_files_reach_no_terminal_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31mred.json").write_text('{"schema": 1}')
    done = subprocess.run(
        [sys.executable, "-c", "import hwnas_env"],
        env={
            **os.environ,
            "HWNAS_ENV_DEVICES": str(tmp_path),
            "HWNAS_ENV_SPACES": "\x1b[31mx:y",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\\x1b[31m") >= 2
