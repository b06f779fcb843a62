"""The README's examples run as they stand."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hwnas_env.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "ms" in printed
    assert "latency_ms" in printed


def test_command_lines_are_commands() -> None:
    joined = README.replace("\\\n", " ")
    lines = re.findall(r"^    hwnas-env ([^#\n]+)", joined, flags=re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        words = line.split()
        rooms = ("data", "bench", "device")
        command = words[:2] if words[0] in rooms else words[:1]
        result = CliRunner().invoke(app, [*command, "--help"])
        assert result.exit_code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option in result.output, line


def test_quick_commands_of_the_readme_run() -> None:
    for line in (
        "query 0 --env HWNAS-NASBench201-EdgeGPU-v0",
        "optimum --env HWNAS-FBNet-EdgeTPU-v0 --cost-budget 4.0",
        "data fidelity",
    ):
        assert line in README
        result = CliRunner().invoke(app, line.split())
        assert result.exit_code == 0, result.output
