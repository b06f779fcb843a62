"""The same bits on every processor: committed hashes, and what computes them."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import digests
import numpy as np

import hwnas_env

ROOT = Path(hwnas_env.__file__).parent

COMMITTED = json.loads(Path(__file__).with_name("digests.json").read_text())
"""What ``python tests/digests.py`` printed; numbers change only with a release."""


def test_trajectories_evaluations_and_optima_are_the_committed_ones() -> None:
    assert digests.everything() == COMMITTED


def test_a_processor_with_fewer_instructions_gives_the_same_bits() -> None:
    core = "numpy._core" if hasattr(np, "_core") else "numpy.core"  # before NumPy 2
    umath = importlib.import_module(f"{core}._multiarray_umath")
    has = umath.__cpu_features__
    poorer = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            name for name in umath.__cpu_dispatch__ if has.get(name)
        ),
        # the C library's own choice of kernels; other libraries ignore this
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA_Usable,-AVX2_Usable,-FMA,-AVX2",
    }
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import digests\n"
        "print(json.dumps([digests.everything(), digests.searches()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env={**os.environ, **poorer},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [COMMITTED, digests.searches()]


def test_a_published_case_has_the_digits_that_exact_operations_give() -> None:
    problem = hwnas_env.make_problem("fbnet", device="edgetpu", dataset="ImageNet")
    network = [1, 2, 4, 4, 5, 5, 6, 4, 7, 6, 4, 5, 8, 2, 8, 0, 8, 2, 4, 0, 0, 2]
    found = problem.evaluate([network]).accuracy_percent[0]
    assert float(found) == 69.03391151692448


DIFFERING = {
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "pow"),
    *("float_power", "sin", "cos", "tan", "tanh", "sinh", "cosh", "cbrt", "hypot"),
    *("logaddexp", "dot", "matmul", "einsum", "inner", "vdot", "average", "mean"),
    *("std", "var", "nanmean", "@"),
}
"""Functions whose last digit differs between processors or versions of libraries."""

FREE = {
    # what people read, rounded; nothing recorded or compared exactly
    "reports",
    "maths/statistics.py",
    "maths/resampling.py",
    "benchmark/front_studies.py",
    "benchmark/reproduce.py",
    "benchmark/scores.py",
    "benchmark/suite_runs.py",
    # measuring and fitting happen once, on one machine: what is kept is rounded, and
    # answering from it is in engines/terms.py, term by term
    "measuring",
    "fitting",
    "benchmark/few_shot.py",
    # learning, which promises one kind of machine
    "agents/gaussian_process.py",
    "agents/learner.py",
    "agents/learners.py",
    "agents/scalarised.py",
    # float32 of compiled functions: what decides there are whole numbers
    "jax",
    # products of whole numbers in a float, exact in any order
    "engines/additive.py @",
    "problems/device_costs.py @",
    "engines/forms.py @",
    "spaces/mnasnet/sums.py @",
    "spaces/mnasnet/accuracy.py @",
    # powers of whole numbers
    "spaces/nasbench201/facts.py power",
    "problems/device_costs.py power",
    # rounded to the digits that are committed
    "benchmark/expectations.py mean",
    "benchmark/expectations.py std",
    # ranks and their means, of a table that people read
    "maths/rank_tests.py",
}
"""Rooms, files and single uses that may: each with its reason."""


def _uses(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(node.func.attr)
        elif isinstance(node, ast.BinOp | ast.AugAssign):
            if isinstance(node.op, ast.MatMult):
                names.add("@")
            elif isinstance(node.op, ast.Pow) and not _whole(node):
                names.add("power")
    return names & DIFFERING


def _whole(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether a power is of whole numbers, or a square, which is a product."""
    if isinstance(node, ast.AugAssign):
        return False
    both = [node.left, node.right]
    numbers = [n.value for n in both if isinstance(n, ast.Constant)]
    exponent = node.right.value if isinstance(node.right, ast.Constant) else None
    exact = exponent == 2 or numbers[:1] == [2.0]
    return exact or any(isinstance(number, int) for number in numbers)


def test_what_is_recorded_uses_no_function_that_differs_between_processors() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name == "maths/elementary.py":
            continue
        for use in sorted(_uses(ast.parse(path.read_text(encoding="utf-8")))):
            if not {name, name.split("/")[0], f"{name} {use}"} & FREE:
                wrong.append(f"{name} {use}")
    assert wrong == []
