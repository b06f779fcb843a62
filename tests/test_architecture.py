"""The floors of the package: a module imports only downward, or its own room."""

import ast
import subprocess
import sys
from pathlib import Path

import hwnas_env

ROOT = Path(hwnas_env.__file__).parent
FLOORS = [
    {"errors", "texts", "moved", "faces", "version"},
    {"extras"},
    {"showing"},
    {"types"},
    {"arguments", "metrics"},
    {"maths"},
    {"data"},
    {"engines"},
    {"devices"},
    {"spaces"},
    {"networks"},
    {"measuring"},
    {"problems"},
    {"fitting"},
    {"envs"},
    {"wrappers", "jax", "integrations"},
    {"agents"},
    {"benchmark"},
    {"reports"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def _modules() -> list[Path]:
    return [
        path
        for path in ROOT.rglob("*.py")
        if path.name != "__init__.py" or path.parent != ROOT
    ]


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imported_rooms(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            module = node.module or ""
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    parts = [name.split(".") for name in names if name.startswith("hwnas_env.")]
    return {part[1] for part in parts if part[1] in FLOOR}


def test_every_module_stands_on_a_floor() -> None:
    assert {_room(path) for path in _modules()} <= set(FLOOR)


def test_imports_go_downward_or_stay_in_their_room() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {room}"
        for path in _modules()
        for room in _imported_rooms(ast.parse(path.read_text(encoding="utf-8")))
        if room != _room(path) and FLOOR[room] >= FLOOR[_room(path)]
    ]
    assert wrong == []


def test_no_file_is_longer_than_500_lines() -> None:
    long = {p.name: n for p in _modules() if (n := p.read_text().count("\n")) > 500}
    assert long == {}


def printed(code: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_import_and_first_make_load_nothing_heavy() -> None:
    code = (
        "import sys, gymnasium as gym, hwnas_env\n"
        "gym.make('HWNAS-NASBench201-EdgeGPU-v0').reset()\n"
        "gym.make('HWNAS-FBNet-EdgeTPU-v0').reset()\n"
        "heavy = {'torch', 'matplotlib', 'scipy', 'pandas', 'optuna', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_agents_load_their_optional_packages_when_they_are_used() -> None:
    code = (
        "import sys, hwnas_env.agents\n"
        "print(sorted({'optuna', 'torch', 'scipy'} & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_the_command_line_loads_no_cluster() -> None:
    code = (
        "import sys, hwnas_env.cli\n"
        "heavy = {'dask', 'distributed', 'ray', 'torch', 'optuna', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_import_loads_no_tables() -> None:
    code = (
        "import sys, hwnas_env\n"
        "tables = ('data.cache', 'data.formats.', 'problems', 'agents', 'wrappers')\n"
        "tables += ('spaces.nasbench201.c', 'spaces.fbnet.c', 'envs.base')\n"
        "found = [m.removeprefix('hwnas_env.') for m in sys.modules]\n"
        "print([m for m in found if m.startswith(tables)])"
    )
    assert printed(code) == "[]"


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _graph() -> dict[str, set[str]]:
    """Which module imports which, anywhere in it but for type checkers alone."""
    paths = {_name(path): path for path in ROOT.rglob("*.py")}
    graph = {}
    for name, path in paths.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ignored = {
            id(node)
            for branch in ast.walk(tree)
            if isinstance(branch, ast.If)
            and ast.unparse(branch.test) == "TYPE_CHECKING"
            for statement in branch.body
            for node in ast.walk(statement)
        }
        found = set()
        for node in ast.walk(tree):
            if id(node) in ignored:
                continue
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    found.add(whole if whole in paths else node.module)
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        graph[name] = found & set(paths) - {name}
    return graph


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = _graph()
    while True:  # take away what imports nothing that is left
        done = {name for name, found in graph.items() if not found & set(graph)}
        if not done:
            break
        graph = {name: found for name, found in graph.items() if name not in done}
    assert graph == {}


def test_no_module_imports_the_root_of_the_package() -> None:
    assert [name for name, found in _graph().items() if "hwnas_env" in found] == []
