"""The example with morl-baselines runs end to end, where that is installed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "peers" / "with_morl_baselines.py"


def test_a_front_is_learned_and_measured_by_the_exact_one(tmp_path: Path) -> None:
    pytest.importorskip("morl_baselines", reason="morl-baselines is not installed")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "600"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert "100 queries" in done.stdout
    shares = dict(re.findall(r"^(\w+) +(\d\.\d+)$", done.stdout, flags=re.MULTILINE))
    assert shares.keys() == {"archive", "policy", "uniform"}
    assert all(0.5 < float(share) <= 1.0 for share in shares.values())
    assert list(tmp_path.iterdir()) == []
