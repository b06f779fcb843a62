"""Compiled PPO: sb3-contrib's loss and gradients, one ledger, records that validate."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.agents import JaxPPO, MaskablePPOConfig
from hwnas_env.agents.contract import AgentContract
from hwnas_env.benchmark import Limits, Task, run_all
from hwnas_env.envs.vector import HWNASVectorEnv
from hwnas_env.errors import InvalidArgumentError, NotExactError, RestoreError
from hwnas_env.problems.problem import Problem
from hwnas_env.wrappers.sb3 import SB3VecEnv

jax = pytest.importorskip("jax")

from hwnas_env.jax import make_params  # noqa: E402  after jax is known to be there
from hwnas_env.jax.ppo import (  # noqa: E402
    LARGEST_GRADIENT,
    Batch,
    Hyperparameters,
    Networks,
    begin,
    loss,
)

SPACES = ("nasbench201", "fbnet", "toycell", "toyragged", "toychain", "toystates")
PROBLEMS = {
    space: make_problem(space, device="toybox" if "toy" in space else "edgetpu")
    for space in SPACES
}


@pytest.mark.jax
class TestCompiledPPO(AgentContract):
    queries = 50
    preset = "loose"  # which 12 networks of the smallest toy meet

    @pytest.fixture(autouse=True, params=SPACES)
    def _space(self, request: pytest.FixtureRequest) -> None:
        self.space = request.param

    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> JaxPPO:
        return JaxPPO(problem, budget, rng=rng)

    def make_problem(self) -> Problem:
        return PROBLEMS[self.space]


@pytest.mark.parametrize(
    "space", ["nasbench201", pytest.param("fbnet", marks=pytest.mark.jax)]
)
def test_loss_and_gradients_are_those_of_sb3_contrib(space: str) -> None:
    torch = pytest.importorskip("torch")
    contrib = pytest.importorskip("sb3_contrib")
    problem = PROBLEMS[space]
    core: Any = HWNASVectorEnv(space, problem.device.name, num_envs=4)
    steps = problem.space.length
    model = contrib.MaskablePPO(
        "MlpPolicy", SB3VecEnv(core), n_steps=steps, batch_size=4 * steps, n_epochs=1,
        ent_coef=0.03, gamma=1.0, gae_lambda=1.0, learning_rate=1e-3, seed=1,
    )  # fmt: skip
    # a policy that is not uniform, so that every part of the loss has a gradient
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in model.policy.parameters():
            weights += 0.05 * torch.randn(weights.shape, generator=generator)
    before = _networks(model.policy, gradient=False)
    model.learn(4 * steps)
    data = next(model.rollout_buffer.get(None))
    batch = Batch(
        *(np.asarray(part) for part in (data.observations, data.action_masks == 1)),
        np.asarray(data.actions).astype(np.int32).ravel(),
        *map(np.asarray, (data.old_log_prob, data.advantages, data.returns)),
    )
    hyper = Hyperparameters()
    value, gradient = jax.value_and_grad(loss)(before, batch, hyper)
    assert np.isclose(value, model.logger.name_to_value["train/loss"], rtol=1e-5)
    leaves = jax.tree.leaves(gradient)
    norm = np.sqrt(sum((np.asarray(leaf) ** 2).sum() for leaf in leaves))
    bound = min(1.0, LARGEST_GRADIENT / (norm + 1e-6))
    theirs = jax.tree.leaves(_networks(model.policy, gradient=True))
    largest = max(np.abs(leaf).max() for leaf in theirs)
    for ours, other in zip(leaves, theirs, strict=True):
        assert np.allclose(ours * bound, other, rtol=1e-4, atol=1e-6 * largest)


def _networks(policy: Any, *, gradient: bool) -> Networks:
    """A policy's weights, or their gradients, in our form."""

    def layers(*modules: Any) -> Any:
        linear = [
            m for group in modules for m in group.modules() if hasattr(m, "weight")
        ]
        pairs = [(m.weight, m.bias) for m in linear]
        chosen = [
            [(p.grad if gradient else p).detach() for p in pair] for pair in pairs
        ]
        return [[w.numpy().T.copy(), b.numpy().copy()] for w, b in chosen]

    extractor = policy.mlp_extractor
    return Networks(
        layers(extractor.policy_net, policy.action_net),
        layers(extractor.value_net, policy.value_net),
    )


@pytest.mark.jax
def test_weights_begin_as_those_of_stable_baselines() -> None:
    params = make_params(PROBLEMS["nasbench201"])
    networks = begin(jax.random.key(0), params, Hyperparameters()).networks
    for layers, last in ((networks.policy, 0.01), (networks.value, 1.0)):
        for (weights, bias), gain in zip(layers, (2**0.5, 2**0.5, last), strict=True):
            tall = np.asarray(
                weights if len(weights) >= weights.shape[1] else weights.T
            )
            unit = np.eye(tall.shape[1]) * gain**2
            assert np.allclose(tall.T @ tall, unit, atol=1e-5 * gain**2)
            assert not np.asarray(bias).any()


@pytest.mark.jax
def test_a_batch_of_runs_is_the_runs_one_by_one(tmp_path: Path) -> None:
    tasks = [Task(f"HWNAS-NASBench201-{device}-v0") for device in ("FPGA", "Raspi4")]
    limits, found = Limits(40), {}
    for task in tasks:
        found[task] = run_all(
            task, ["jax_ppo"], seeds=2, limits=limits, folder=tmp_path / "together"
        )
    # last task and seed alone, in a process that has run nothing else
    code = (
        "from hwnas_env.benchmark import Limits, Task, run_once\n"
        f"task = Task({tasks[1].env!r})\n"
        "run = run_once(task, 'jax_ppo', seed=1, limits=Limits(40))\n"
        "print('|'.join(run.networks))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "|".join(found[tasks[1]][1].networks)
    assert all(
        run.queries == 40 and not run.error for runs in found.values() for run in runs
    )
    command = ["-m", "hwnas_env", "bench", "validate", str(tmp_path / "together")]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.jax
def test_a_policy_for_all_budgets_is_saved_and_plays_within_each(
    tmp_path: Path,
) -> None:
    problem = PROBLEMS["fbnet"]
    config = MaskablePPOConfig(sampled_budgets=True)
    agent = JaxPPO(
        problem, problem.budget("medium"), rng=np.random.default_rng(0), config=config
    )
    with pytest.raises(InvalidArgumentError, match="search first"):
        agent.networks(3)
    with pytest.raises(InvalidArgumentError, match="search first"):
        agent.save(tmp_path / "run.1")
    agent.search(BudgetedProblem(problem, max_queries=64))
    agent.save(tmp_path / "run.1")
    again = JaxPPO.load(tmp_path / "run.1", problem, rng=np.random.default_rng(7))
    for budget in ("tight", "loose"):
        for greedy in (True, False):
            drawn = agent.networks(20, budget=budget, deterministic=greedy, seed=3)
            assert (problem.known_costs(drawn) <= problem.budget(budget)).all()
            other = again.networks(20, budget=budget, deterministic=greedy, seed=3)
            assert np.array_equal(drawn, other)
    elsewhere = make_problem("fbnet", device="pixel3")
    drawn = agent.networks(5, problem=elsewhere, budget="tight")
    assert (elsewhere.known_costs(drawn) <= elsewhere.budget("tight")).all()
    again.search(BudgetedProblem(problem, max_queries=20))
    with pytest.raises(RestoreError, match="nasbench201"):
        JaxPPO.load(
            tmp_path / "run.1", PROBLEMS["nasbench201"], rng=np.random.default_rng(0)
        )
    whole = (tmp_path / "run.1.npz").read_bytes()
    packed = io.BytesIO()
    np.savez_compressed(packed, made=np.array("{}"), x=np.zeros(1 << 22))
    for damaged in (b"PK", b"", whole[: len(whole) // 2], packed.getvalue()):
        (tmp_path / "bad.npz").write_bytes(damaged)
        with pytest.raises(RestoreError, match="no policy"):
            JaxPPO.load(tmp_path / "bad", problem, rng=np.random.default_rng(0))
    np.savez(tmp_path / "bad.npz", made=np.array("[1]"))
    with pytest.raises(RestoreError, match="expected agent, budget"):
        JaxPPO.load(tmp_path / "bad", problem, rng=np.random.default_rng(0))
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_costs_that_are_a_function_are_refused() -> None:
    problem = make_problem("fbnet", device="fpga", costs=_cost)
    with pytest.raises(NotExactError):
        JaxPPO(problem, 1e9, rng=np.random.default_rng(0))


def _cost(genotypes: Any) -> Any:
    return 1.0 + genotypes.sum(axis=1)


def test_the_core_loads_no_jax() -> None:
    code = (
        "import sys, hwnas_env, hwnas_env.agents, gymnasium as gym\n"
        "gym.make('hwnas_env:HWNAS-FBNet-EdgeTPU-v0').reset()\n"
        "print('jax' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.jax
def test_senseless_arguments_are_named() -> None:
    problem = PROBLEMS["nasbench201"]
    config = MaskablePPOConfig(net_arch=[8])  # type: ignore[arg-type]
    agent = JaxPPO(
        problem, problem.budget("medium"), rng=np.random.default_rng(0), config=config
    )
    agent.search(BudgetedProblem(problem, max_queries=10))
    for wrong in (
        {"problem": PROBLEMS["fbnet"]},
        {"problem": 3},
        {"seed": 2**70},
        {"seed": "a"},
        {"seed": 1.5},
    ):
        with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
            agent.networks(2, **wrong)


def test_layers_of_a_policy_are_checked() -> None:
    for wrong in (("a",), (-3,), (0,), 64, None, (1.5,)):
        with pytest.raises(InvalidArgumentError, match="net_arch"):
            MaskablePPOConfig(net_arch=wrong)  # type: ignore[arg-type]
    assert MaskablePPOConfig(net_arch=()).net_arch == ()


def test_without_jax_it_is_said_what_installs_it() -> None:
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "try:\n    from hwnas_env.jax import make_params\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MissingExtraError hwnas_env.jax needs jax: ")
