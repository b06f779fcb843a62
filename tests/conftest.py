import importlib
import os
import tempfile
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# One cache for the whole session, apart from the user's own.
_CACHE = tempfile.TemporaryDirectory(prefix="hwnas-env-tests-")
os.environ["HWNAS_ENV_CACHE"] = _CACHE.name

# The same draws on every machine, however long they take there.
hypothesis.settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("same")

# Processes of pytest-xdist are given a terminal's width, which a pipe does not have.
os.environ.pop("COLUMNS", None)

# The toy spaces and the toy device are there for every test, and in what a test starts.
HERE = Path(__file__).parent
os.environ["HWNAS_ENV_SPACES"] = "toys:CELL,toys:RAGGED,toys:CHAIN,toys:STATES"
os.environ["HWNAS_ENV_DEVICES"] = str(HERE / "devices")
_FOUND = os.environ.get("PYTHONPATH", "")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), _FOUND]))
importlib.import_module("hwnas_env")  # before a test imports the toys

REFERENCE = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def reference() -> Path:
    """The folder of reference data beside the checkout, or a skip that says so."""
    if not REFERENCE.is_dir():
        pytest.skip(f"no reference data: {REFERENCE.name} beside the checkout")
    return REFERENCE


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HWNAS_ENV_CACHE", str(folder))
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20210317)
