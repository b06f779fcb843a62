"""The command line's ``device``: your own device from a few measured networks."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas_env import fitting, measuring, networks
from hwnas_env.cli.options import (
    Json,
    Label,
    MetricName,
    SpaceName,
    SpaceOption,
    complete_budget,
)
from hwnas_env.devices import DEVICES, get_device, user_folder
from hwnas_env.envs.registration import register_device, unregister_device
from hwnas_env.errors import UnknownNameError
from hwnas_env.spaces import get_space

if TYPE_CHECKING:
    from hwnas_env.devices import Device
    from hwnas_env.types import Genotypes

app = typer.Typer(
    help="Your own device: what to measure, measuring, fitting, checking.",
    no_args_is_help=True,
)

Dataset = Annotated[
    str | None, typer.Option(help="A dataset of it; its own by default.")
]
Count = Annotated[
    int, typer.Option("--networks", "-k", help="Networks of the fit, 5 to 60.")
]
Validate = Annotated[
    int, typer.Option(help="Networks more, for the error of the fit: 0 to 50.")
]
Hardware = Annotated[str, typer.Option(help="What is measured, in words.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace what the device has there.")
]


@app.command()
def design(
    space: SpaceName,
    count: Count = 20,
    validate: Validate = 20,
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder.")] = Path("todo"),
    dataset: Dataset = None,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Write the networks too, as ONNX files.")
    ] = False,
) -> None:
    """Writes which networks to measure: a table to fill in.

    With --onnx the networks are beside it. A longer list continues a shorter one.
    Measure them with any tool, and hand the table to: hwnas-env device add.
    """
    from hwnas_env.reports.terminal.printing import say

    found = get_space(space)
    name = found.default_dataset if dataset is None else found.check_dataset(dataset)
    rows, marks = fitting.design_of(found, count=count, validation=validate)

    def export(genotype: "Genotypes", path: Path) -> None:
        module = networks.build_network(found, genotype, dataset=name)
        networks.export_onnx(module, networks.example(found, dataset=name), path)

    with _progress(f"{found.name} on {name}") as told:
        table = fitting.write_todo(
            found,
            rows,
            marks,
            dataset=name,
            folder=out,
            export=export if onnx else None,
            progress=told if onnx else None,
        )
    say(
        f"wrote {table}: {len(rows)} networks of {found.name}, {validate} of them for "
        "the error of the fit",
        "fill in latency_ms (and energy_mj, if it was measured), then:",
        f"hwnas-env device add LABEL {table} --space {found.name} --dataset {name}",
    )


@app.command()
def measure(
    label: Label,
    space: SpaceOption,
    dataset: Dataset = None,
    runtime: Annotated[str, typer.Option(help="onnxruntime or torch.")] = "onnxruntime",
    count: Count = 40,
    validate: Validate = 50,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where measurements are kept; LABEL-SPACE-DATASET by default."
        ),
    ] = None,
    hardware: Hardware = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the machine is unsteady.")
    ] = False,
    replace: Replace = False,
) -> None:
    """Measures networks on this machine, fits the device and adds it.

    What was measured is kept: the same command goes on where it was stopped.
    """
    from hwnas_env.fitting.merge import check_label
    from hwnas_env.reports.terminal.printing import say

    found = get_space(space)
    name = found.default_dataset if dataset is None else found.check_dataset(dataset)
    check_label(label, found.name, name, replace=replace)
    rows, marks = fitting.design_of(found, count=count, validation=validate)
    place = Path(f"{label}-{found.name}-{name}") if folder is None else folder
    say(f"measuring {len(rows)} networks twice; what is measured is kept in {place}")
    with _progress(f"{len(rows)} networks of {found.name} on {name}") as told:
        result = measuring.measure(
            found,
            rows,
            folder=place,
            dataset=name,
            runtime=runtime,
            anyway=anyway,
            progress=told,
        )
    columns = {"latency_ms": result.latency_ms}
    if result.energy_mj is not None:
        columns["energy_mj"] = result.energy_mj
    measured = fitting.MeasuredRows(
        found,
        name,
        result.genotypes,
        {metric: passes[0] for metric, passes in columns.items()},
        {metric: passes[1] for metric, passes in columns.items() if len(passes) > 1},
        marks,
        result.protocol,
    )
    if not hardware:
        hardware = str(result.protocol.get("processor", "")).strip()
    _add(
        fitting.fit_device(measured, label=label, hardware=_words(hardware, runtime)),
        replace=replace,
    )


def _is_new(label: str) -> bool:
    from hwnas_env.devices.files import stored_path
    from hwnas_env.fitting.fit import name_of

    return not stored_path(name_of(label)).exists()


def _words(hardware: str, runtime: str) -> str:
    return ", ".join(word for word in (hardware, runtime) if word)


@app.command()
def add(
    label: Label,
    file: Annotated[
        Path,
        typer.Argument(
            help="A csv of measured networks (architecture, latency_ms, ...), or a "
            "whole table, npz or csv, as --costs takes it."
        ),
    ],
    space: SpaceOption,
    dataset: Dataset = None,
    hardware: Hardware = "",
    runtime: Annotated[str, typer.Option(help="What ran the networks.")] = "",
    threads: Annotated[int | None, typer.Option(help="Threads it ran on.")] = None,
    precision: Annotated[str, typer.Option(help="float32, int8, ...")] = "",
    whole: Annotated[
        bool,
        typer.Option("--table", help="The file is a table of the whole space."),
    ] = False,
    replace: Replace = False,
) -> None:
    """Adds a device from measured networks, or from a whole table.

    Its environments are there at once, in every process.
    """
    from hwnas_env.fitting.merge import check_label, whole_device

    found = get_space(space)
    name = found.default_dataset if dataset is None else found.check_dataset(dataset)
    check_label(label, found.name, name, replace=replace, metrics=())
    stated = {"runtime": runtime, "threads": threads, "precision": precision}
    protocol = {key: value for key, value in stated.items() if value}
    words = _words(hardware, runtime) if hardware or _is_new(label) else ""
    if whole or file.suffix.lower() == ".npz":
        made = whole_device(
            file, label=label, space=found, dataset=name, hardware=words
        )
    else:
        made = fitting.fit_device(
            file,
            label=label,
            space=found,
            dataset=name,
            hardware=words,
            protocol=protocol,
        )
    _add(made, replace=replace)


def _add(made: "Device", *, replace: bool) -> None:
    """Writes a device, registers it, and says what it is."""
    from hwnas_env.devices.files import folder_locked, save_device
    from hwnas_env.fitting.merge import merged
    from hwnas_env.reports.terminal import devices as pages
    from hwnas_env.reports.terminal.printing import say, show

    with folder_locked():  # what another process adds meanwhile is not lost
        device = merged(made, replace=replace)
        path = save_device(device, replace=True)
    if device.name in DEVICES:
        unregister_device(device.name)
    ids = register_device(path)
    show(pages.device_values(get_device(device.name)), as_json=False, table=pages.card)
    say(f"wrote {path}", *ids)


@app.command("list")
def list_devices(
    every: Annotated[
        bool, typer.Option("--all", help="Those of the package too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lists your devices."""
    from hwnas_env.reports.terminal import devices as pages
    from hwnas_env.reports.terminal.printing import say, show

    own = user_folder()
    chosen = [
        device
        for device in DEVICES.values()
        if every or Path(device.origin).parent == own
    ]
    rows = [pages.row(device) for device in chosen]
    if not rows and not as_json:
        say(f"no device in {own}; hwnas-env device add makes one")
        return
    show(rows, as_json=as_json, table=pages.table)


@app.command("show")
def show_device(label: Label, as_json: Json = False) -> None:
    """Says what a device is, how good its costs are, and its budgets."""
    from hwnas_env.reports.terminal import devices as pages
    from hwnas_env.reports.terminal.printing import show

    values = pages.device_values(get_device(label))
    show(values, as_json=as_json, table=pages.card)


@app.command()
def remove(label: Label) -> None:
    """Takes one of your devices away, also one whose file is damaged."""
    from hwnas_env.devices.files import remove_files, stored_path
    from hwnas_env.fitting.fit import name_of
    from hwnas_env.reports.terminal.printing import say

    name = name_of(label)
    path = stored_path(name)
    if not path.is_file():
        known = label in [one.label for one in DEVICES.values()] or name in DEVICES
        kind = "one of the package" if known else "unknown"
        message = f"{label} is {kind}; expected a device in {user_folder()}"
        raise UnknownNameError(message)
    if name in DEVICES:
        unregister_device(name)
    remove_files(path)
    say(f"{path} is gone, and its environments")


@app.command()
def verify(
    label: Label,
    space: SpaceOption,
    dataset: Dataset = None,
    metric: MetricName = None,
    budget: Annotated[
        str,
        typer.Option(
            help="tight, medium, loose, or a number in its unit.",
            autocompletion=complete_budget,
        ),
    ] = "medium",
    top: Annotated[int, typer.Option(help="Most networks to measure.")] = 5,
    rows: Annotated[
        Path | None,
        typer.Option(help="A csv of what you measured; what is next is added to it."),
    ] = None,
    onnx: Annotated[
        Path | None, typer.Option(help="A folder for the next network's ONNX file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Finds the best network that keeps a budget on the device itself.

    The search picks what the fit is too optimistic of; so picks are measured, one after
    another. With --rows what was measured is read from a csv, and the next network is
    added to it; without, each is measured on this machine.
    """
    from hwnas_env.fitting.here import measures_here
    from hwnas_env.fitting.todo import add_check, read_checks
    from hwnas_env.problems.make import make_problem
    from hwnas_env.reports.terminal import devices as pages
    from hwnas_env.reports.terminal.printing import show

    problem = make_problem(space, device=label, dataset=dataset, metric=metric)
    limit = float(budget) if _is_number(budget) else budget
    verifier = fitting.Verifier(problem, limit, checks=top)
    found, metric = problem.space, problem.metric
    known = {} if rows is None else read_checks(rows, found, metric)
    told = measures_here(problem) if rows is None else None
    waiting = None
    while (genotype := verifier.ask()) is not None:
        if told is not None:
            verifier.tell(told(genotype))
        elif genotype.tobytes() in known:
            verifier.tell(known[genotype.tobytes()])
        else:
            waiting = genotype
            break
    if waiting is not None:
        assert rows is not None, "without a table everything is measured here"
        row = add_check(rows, found, metric, waiting)
        if onnx is not None:
            onnx.mkdir(parents=True, exist_ok=True)
            file = onnx / f"check{row}.onnx"
            images = networks.example(found, dataset=problem.dataset)
            networks.export_onnx(problem.network(waiting), images, file)
    values = pages.verified_values(verifier, waiting=waiting, table=rows)
    show(values, as_json=as_json, table=pages.verified)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """Shows a bar on standard error, and gives what moves it: done and total."""
    from hwnas_env.reports.terminal.progress import progress_bars

    with progress_bars() as bars:
        task = bars.add_task(words, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
