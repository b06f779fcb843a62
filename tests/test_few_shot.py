"""How good fits of a few networks are, on what was measured; figures with a margin."""

from pathlib import Path

import numpy as np
import pytest

from hwnas_env.benchmark.few_shot import PUBLISHED, few_shot

pytest.importorskip("scipy")

CELLS = {10: (0.81, 0.97), 20: (0.845, 0.985), 50: (0.86, 0.985)}
"""NAS-Bench-201: least mean tau-b over all settings on its datasets, and least mean
Spearman over HELP's test devices, by networks measured."""

CHAINS = {10: (0.78, 0.96), 20: (0.78, 0.96), 50: (0.78, 0.985)}
"""The same of FBNet."""

COUNTS = [
    pytest.param(count, marks=() if count == 10 else pytest.mark.full)
    for count in CHAINS
]


@pytest.mark.data
@pytest.mark.parametrize("count", COUNTS)
def test_cells_of_new_devices_follow_what_was_measured(
    count: int, reference: Path
) -> None:
    from calibration import few_shot_study as study

    scores = study.cells(reference, count)
    own = [score for score in scores if score.name not in study.ELSEWHERE]
    test = [score for score in scores if score.name in study.CELL_TEST]
    assert (len(scores), len(own), len(test)) == (49, 35, 3)
    assert np.mean([score.tau_b for score in own]) >= CELLS[count][0]
    assert np.mean([score.spearman for score in test]) >= CELLS[count][1]


@pytest.mark.data
@pytest.mark.parametrize("count", COUNTS)
def test_chains_of_new_devices_follow_what_was_measured(
    count: int, reference: Path
) -> None:
    from calibration import few_shot_study as study

    scores = study.chains(reference, count)
    test = [s for s in scores if s.name.removesuffix("_latency") in study.TEST]
    assert (len(scores), len(test)) == (24, 3)
    assert np.mean([score.tau_b for score in scores]) >= CHAINS[count][0]
    assert np.mean([score.mape_percent for score in scores]) <= 3.4
    assert np.mean([score.spearman for score in test]) >= CHAINS[count][1]


@pytest.mark.data
def test_five_checks_keep_budgets_on_what_was_measured(reference: Path) -> None:
    from calibration import few_shot_study as study

    regrets = study.checked(reference, 20, 5)
    kept = [regret for regret in regrets if regret is not None]
    assert len(regrets) == 84
    assert len(kept) >= 0.95 * len(regrets)
    assert np.mean(kept) <= 0.25


@pytest.mark.parametrize("space", PUBLISHED)
def test_the_reproduction_is_ahead_of_what_was_published(space: str) -> None:
    """On the built-in columns, which are smoother than measurements."""
    results = few_shot(space, samples=(10,), draws=2)
    assert {(r.known, r.chosen) for r in results} == {
        (known, chosen) for known in ("all", "HELP") for chosen in ("list", "drawn")
    }
    listed = [r.spearman for r in results if r.chosen == "list"]
    assert np.mean(listed) > max(PUBLISHED[space].values())
