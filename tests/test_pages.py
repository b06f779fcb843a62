"""Every snippet on every page runs as it stands, and every command has its options."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic
from typer.testing import CliRunner

from hwnas_env.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ROOMS = ("data", "bench", "device")
"""Commands that have commands."""

COMPILED = ("docs/jax.md", "docs/transfer.md")
"""Pages whose snippets compile, which takes a minute each."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def python_blocks(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cache with a file of the official form, for pages on measured data."""
    folder = tmp_path_factory.mktemp("measured")
    source = synthetic.write(folder / "official.pickle", synthetic.official())
    environment = {**os.environ, "HWNAS_ENV_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "hwnas_env", "data", "import", str(source)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return environment["HWNAS_ENV_CACHE"]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.jax if name(page) in COMPILED else ())
        for page in PAGES
        if python_blocks(page)
    ],
    ids=name,
)
def test_snippets_run_in_their_order(page: Path, imported: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = tmp_path / "snippets.py"
    script.write_text("\n\n".join(python_blocks(page)), encoding="utf-8")
    paths = [str(ROOT / "examples"), str(ROOT), os.environ["PYTHONPATH"]]
    environment = {
        **os.environ,
        "HWNAS_ENV_CACHE": imported,
        "HWNAS_ENV_SPACES": "",
        "HWNAS_ENV_DEVICES": str(tmp_path / "devices"),
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if "MissingExtraError" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_have_the_options_that_are_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^ {4}hwnas-env ([^#|>\n]+)", text, flags=re.MULTILINE):
        words = line.split()
        command = words[:2] if words[0] in ROOMS else words[:1]
        result = CliRunner().invoke(app, [*command, "--help"])
        assert result.exit_code == 0, line
        for option in (word.split("=")[0] for word in words if word[:2] == "--"):
            assert option in result.output, line
