"""What docs/extending.md shows runs as it stands, without a changed line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hwnas_env.devices import parse_device

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SPACE, DEVICE = ROOT / "examples" / "custom_space", ROOT / "examples" / "custom_device"


def test_the_device_on_the_page_is_one() -> None:
    [text] = re.findall(r"\n(    \{\n.*?\n    \}\n)", PAGE, flags=re.DOTALL)
    device = parse_device(text.encode(), origin="the page")
    device.check()
    assert json.loads(text)["label"] == device.label == "MyBoard"


def test_the_examples_are_as_small_as_they_say() -> None:
    assert len((SPACE / "stages.py").read_text().splitlines()) < 80
    assert [path.suffix for path in DEVICE.iterdir()] == [".json"]


@pytest.mark.parametrize("env_id", ["HWNAS-Stages-Desk-v0", "HWNAS-FBNet-MyBoard-v0"])
def test_the_examples_do_everything_that_the_package_does(
    env_id: str, tmp_path: Path
) -> None:
    variables = {
        **os.environ,
        "HWNAS_ENV_SPACES": "stages:SPACE",
        "HWNAS_ENV_DEVICES": str(SPACE if "Stages" in env_id else DEVICE),
        "PYTHONPATH": os.pathsep.join([str(SPACE), str(ROOT)]),
    }

    def said(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = (
        "import gymnasium as gym, numpy as np, hwnas_env\n"
        f"name = {env_id!r}\n"
        "if __name__ == '__main__':\n"
        "    for mode in ('construct', 'mutate', 'joint'):\n"
        "        env = gym.make(name, mode=mode, render_mode='rgb_array')\n"
        "        _, info = env.reset(seed=0)\n"
        "        ended = False\n"
        "        while not ended:\n"
        "            action = env.action_space.sample(info['action_mask'])\n"
        "            *_, done, cut, info = env.step(action)\n"
        "            ended = done or cut\n"
        "        assert env.render().ndim == 3\n"
        "        many = gym.make_vec(name, 3, mode=mode)\n"
        "        many.reset(seed=0)\n"
        "        many.step(many.action_space.sample())\n"
        "    problem = env.unwrapped.problem\n"
        "    assert problem.optimum('medium').cost <= problem.budget('medium')\n"
        "    workers = gym.vector.AsyncVectorEnv(\n"
        "        [lambda: gym.make('hwnas_env:' + name)] * 2, context='spawn')\n"
        "    print(workers.reset(seed=0)[0].shape)\n"
        "    workers.close()\n"
    )
    script = tmp_path / "play.py"
    script.write_text(code)
    assert said(str(script)).startswith("(2,")
    run = ["run", "--env", env_id, "--queries", "12", "--seeds", "2", "--jobs", "2"]
    agents = ["--agent", "random", "--agent", "evolution", "--out", "runs"]
    said("-m", "hwnas_env", *run, *agents)
    assert "valid: 4; differ: 0" in said("-m", "hwnas_env", "bench", "validate", "runs")
    if "Stages" not in env_id:  # a report draws networks, which differ by space
        return
    said("-m", "hwnas_env", "bench", "report", "runs", "--output", "page.html")
    assert env_id in (tmp_path / "page.html").read_text(encoding="utf-8")
