"""What can be said of pictures without looking at them."""

import itertools
import sys
from typing import Any

import numpy as np
import pytest
from contracts import CELL, IDS, NET, make
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from hwnas_env import envs
from hwnas_env.envs import pictures
from hwnas_env.envs.render import View, image, text
from hwnas_env.errors import MissingExtraError


def view(env_id: str, *actions: int, budget: str = "medium", **more: Any) -> View:
    """The view of an episode of ``construct`` after some actions."""
    env = make(env_id)
    observation, info = env.reset(options={"budget": budget})
    for action in actions:
        observation, *_, info = env.step(action)
    low, high = observation[-2:] * info["budget"]
    problem = env.unwrapped.problem
    return View(
        problem, tuple(info["genotype"].tolist()), info["budget"], (low, high), **more
    )


def texts(figure: Any) -> list[Any]:
    owners = [figure, *figure.axes]
    found = [label for owner in owners for label in owner.texts if label.get_text()]
    return [label for label in found if not hasattr(label, "arrow_patch")]


def words(seen: View) -> set[str]:
    return {label.get_text() for label in texts(pictures.draw(seen))}


@pytest.mark.parametrize("decided", [0.0, 0.5, 1.0])
@IDS
def test_no_label_covers_another_or_leaves_the_picture(
    env_id: str, decided: float
) -> None:
    counts = make(env_id).unwrapped.problem.space.choices_at
    length = len(counts)
    pattern = [(3, 1, 4, 2, 5)[n % 5] % 5 % counts[n] for n in range(length)]
    actions = pattern[: int(decided * length)]
    figure = pictures.draw(view(env_id, *actions, accuracy_percent=91.23))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [label.get_window_extent(renderer) for label in texts(figure)]
    assert len(boxes) > length
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("budget", ["tight", "loose"])
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_the_budget_is_a_line_with_its_number(env_id: str, budget: str) -> None:
    seen = view(env_id, budget=budget)
    axes = pictures.draw(seen).axes[1]
    places = [set(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) > 1]
    assert places == [{0.5}]
    assert f"budget {seen.budget:.4g} ms" in words(seen)


def bars(seen: View) -> dict[str, float]:
    """Ends of the coloured bars."""
    patches = pictures.draw(seen).axes[1].patches
    names = {pictures._WITHIN: "within", pictures._BEYOND: "beyond"}
    colours = {tuple(np.round(to_rgb(code), 4)): name for code, name in names.items()}
    found = {}
    for patch in patches:
        colour = tuple(np.round(patch.get_facecolor()[:3], 4))
        if colour in colours:
            found[colours[colour]] = patch.get_x() + patch.get_width()
    return found


def test_the_bar_says_what_is_within_the_budget_and_what_is_not() -> None:
    assert bars(view(CELL)).keys() == {"within", "beyond"}
    assert bars(view(CELL))["within"] == 0.5
    cheap, dear = view(NET, *[8] * 22), view(NET, *[7] * 22)
    assert bars(cheap) == {
        "within": pytest.approx(cheap.interval[1] / cheap.budget / 2)
    }
    assert bars(dear).keys() == {"beyond"}
    assert 0.5 < bars(dear)["beyond"] <= 1.0


@pytest.mark.parametrize("env_id", [CELL, NET])
def test_undecided_positions_differ_from_every_operation(env_id: str) -> None:
    length = 6 if env_id == CELL else 22
    start = pictures.image(view(env_id))
    for choice in range(5 if env_id == CELL else 9):
        whole = pictures.image(view(env_id, *[choice] * length))
        top = len(start) * 6 // 10
        assert (start[:top] != whole[:top]).any(axis=-1).sum() > 2000


def test_every_metric_of_a_whole_network_is_written() -> None:
    seen = view("HWNAS-NASBench201-Eyeriss-v0", 3, 1, 4, 2, 0, 3)
    env = make("HWNAS-NASBench201-Eyeriss-v0")
    env.reset()
    for action in seen.genotype:
        *_, info = env.step(action)
    written = words(seen)
    for metric in seen.problem.metrics:
        assert metric in written
        assert any(word.startswith(f"{info[metric]:.4g} ") for word in written)
        assert f"{info[metric]:.4g} " in text(seen)
    assert "?" not in written


def test_what_cannot_run_and_what_was_found_are_said() -> None:
    none = view(CELL, *[0] * 6)
    assert "not deployable" in words(none)
    assert "not deployable" in text(none)
    found = view(CELL, *[3] * 6, accuracy_percent=93.456)
    assert "accuracy 93.46 %" in found.title
    assert "accuracy" not in view(CELL).title


def test_an_interval_that_was_clipped_says_so() -> None:
    seen = view(NET)
    clipped = View(seen.problem, seen.genotype, 1.0, (0.5, 4.0))
    assert clipped.reach == "0.5 to over 4 ms"
    assert "over" not in View(seen.problem, seen.genotype, 1.0, (0.5, 3.0)).reach


def test_without_matplotlib_the_install_line_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(envs, "pictures")
    monkeypatch.delitem(sys.modules, "hwnas_env.envs.pictures")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"hwnas_env\[plots\]"):
        image(view(CELL))
