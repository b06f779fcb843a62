"""The README's examples run as they stand."""

from pathlib import Path

from typer.testing import CliRunner

from hwnas_env.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_quick_commands_of_the_readme_run() -> None:
    for line in (
        "query 0 --env HWNAS-NASBench201-EdgeGPU-v0",
        "optimum --env HWNAS-FBNet-EdgeTPU-v0 --cost-budget 4.0",
        "data fidelity",
    ):
        assert line in README
        result = CliRunner().invoke(app, line.split())
        assert result.exit_code == 0, result.output
