"""The command line's ``data``: importing, checking and judging measured data."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas_env.arguments import check_name
from hwnas_env.cli.options import Json, complete_device, complete_space
from hwnas_env.devices import devices_of, get_device
from hwnas_env.errors import NotMeasuredError
from hwnas_env.spaces import get_space

if TYPE_CHECKING:
    from hwnas_env.data.formats.hwnasbench import HWNASBench
    from hwnas_env.problems.audited import Audited
    from hwnas_env.spaces import SearchSpace

app = typer.Typer(help="Measured data: import, fetch, check.", no_args_is_help=True)


def _import_accel_nasbench(archive: Path) -> None:
    from hwnas_env.data.formats import accel_nasbench
    from hwnas_env.reports.terminal.printing import say

    found = accel_nasbench.import_archive(archive)
    say(f"imported {len(found):,} networks, {found.repeated} twice or more")
    for name, count in found.holes().items():
        say(f"{name}: {count} networks have no value")


ARCHIVES: Mapping[str, Callable[[Path], None]] = {
    "accel-nasbench": _import_accel_nasbench,
}
"""What imports an archive, by the name of its form."""


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="HW-NAS-Bench-v1_0.pickle, an accuracy file (npz, csv), or "
            f"{' or '.join(ARCHIVES)} and then its archive."
        ),
    ],
    archive: Annotated[
        Path | None, typer.Argument(help="Behind accel-nasbench: its archive.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Of an accuracy file: valid, test or train.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of an accuracy file: epochs of training.")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="Of an accuracy file: the search space.", autocompletion=complete_space
        ),
    ] = None,
) -> None:
    """Imports official files of measured data, or accuracies.

    An accuracy file (npz or csv) holds one column a dataset in percent, a row a network
    in the official order, or in any if a csv names them; it needs --split and --epochs.
    """
    from hwnas_env.data.formats import hwnasbench, registered
    from hwnas_env.reports.terminal.printing import say

    if archive is not None:
        name = check_name(str(file), ARCHIVES, what="form of an archive")
        if split is not None or epochs is not None or space is not None:
            message = "--split, --epochs and --space are of an accuracy file"
            raise typer.BadParameter(message)
        ARCHIVES[name](archive)
        return
    if file.suffix.lower() in (".npz", ".csv"):
        if split is None or epochs is None:
            message = "an accuracy file needs --split and --epochs"
            raise typer.BadParameter(message)
        readers = registered("accuracies")
        name = next(iter(readers)) if space is None else get_space(space).name
        check_name(name, readers, what="search space with imported accuracies")
        found = readers[name](file, split=split, epochs=epochs)
        say(f"imported {split} accuracy after {epochs} epochs: {', '.join(found)}")
        return
    if split is not None or epochs is not None:
        message = "--split and --epochs are of an accuracy file, .npz or .csv"
        raise typer.BadParameter(message)
    _report_holes(hwnasbench.import_pickle(file))


@app.command()
def fetch() -> None:
    """Downloads HW-NAS-Bench, verifies and imports it."""
    from hwnas_env.data.formats import hwnasbench

    _report_holes(hwnasbench.fetch())


@app.command()
def status(as_json: Json = False) -> None:
    """Says what is imported, and where the cache is."""
    from hwnas_env.data import cache
    from hwnas_env.data.formats import hwnasbench
    from hwnas_env.reports.terminal.printing import say

    bundles = {name: cache.load(name) for name in cache.names()}
    found = {
        name: {
            "folder": str(bundle.path),
            "source": bundle.meta.get("source_file", ""),
            "arrays": len(bundle.arrays),
        }
        for name, bundle in bundles.items()
        if bundle is not None
    }
    if as_json:
        print(
            json.dumps({"cache": str(cache.cache_dir()), "imported": found}, indent=1)
        )
        return
    say(f"cache: {cache.cache_dir()}")
    for name, entry in found.items():
        say(f"{name}: {entry['arrays']} arrays  {entry['source']}")
    if hwnasbench.BUNDLE not in found:
        print(f"HW-NAS-Bench is not imported: {hwnasbench.IMPORT_HINT}")
        return
    bench = hwnasbench.HWNASBench.open()
    say(f"{hwnasbench.BUNDLE}: {bench.origin}")
    _report_holes(bench)


@app.command()
def check() -> None:
    """Compares cached files with their checksums; says whose they are."""
    from hwnas_env.data import cache
    from hwnas_env.data.formats import hwnasbench
    from hwnas_env.reports.terminal.printing import say

    wrong = {name: cache.check(name) for name in cache.names()}
    for name, found in wrong.items():
        say(*found)
        if name == hwnasbench.BUNDLE and not found:
            say(f"{name}: {hwnasbench.HWNASBench.open().origin}")
    if any(wrong.values()):
        raise typer.Exit(1)
    say(f"{len(wrong)} data sets in {cache.cache_dir()}: all as recorded")


@app.command()
def fidelity(as_json: Json = False) -> None:
    """Prints the errors of built-in columns against measurements."""
    from hwnas_env.problems.fidelity import fidelity_rows
    from hwnas_env.reports.terminal import tables
    from hwnas_env.reports.terminal.printing import show

    rows = list(fidelity_rows())
    show(rows, as_json=as_json, table=tables.fidelity_table)


@app.command()
def audit(
    space: Annotated[
        str | None,
        typer.Option(
            help="An enumerated one; by default the first with a file.",
            autocompletion=complete_space,
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            help="Only its columns, and their bands; may be given again.",
            autocompletion=complete_device,
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    metric: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            help="Your own rows: a csv with architecture, a metric and, if rows do "
            "not stand in the order of measuring, order; or the filled table of "
            "device design. Needs --device."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Writes one column's suspect rows: a csv that is new."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draws every row: png, svg or pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Looks for bands and outliers in measured rows.

    It compares them with the built-in column.
    """
    from hwnas_env.problems.audit import file_audit, imported_audits
    from hwnas_env.reports.terminal import analysis, auditing
    from hwnas_env.reports.terminal.printing import say, show

    found = _enumerated() if space is None else get_space(space)
    chosen = [get_device(name) for name in device or []]
    if figure is not None:
        analysis.check_figure(figure)
    if out is not None:
        auditing.check_new_file(out)
    if rows is not None:
        if len(chosen) != 1:
            message = "--rows needs one --device, whose built-in column it is beside"
            raise typer.BadParameter(message)
        one = file_audit(found, chosen[0], rows, dataset=dataset, metric=metric)
        audits = [one]
    else:
        among = chosen or devices_of(found.name)
        each = imported_audits(found, among, dataset=dataset, metric=metric)
        audits = list(each)
    if not audits:
        message = (
            f"{found.name}: the imported files hold no column of "
            f"{metric or 'a metric'} of {', '.join(device or ['a device'])} on "
            f"{dataset or 'a dataset'} with enough rows to audit; see: hwnas-env data "
            "status"
        )
        raise NotMeasuredError(message)
    if out is not None:
        _at_most(1, audits, option="--out")
    if figure is not None:
        _at_most(auditing.MOST_PANELS, audits, option="--figure")
        auditing.audit_figure(audits, figure)
    values = [one.values() for one in audits]
    show(values, as_json=as_json, table=auditing.audit_tables)
    if out is not None:
        count = auditing.write_suspects(audits[0], out)
        if not as_json:
            say(f"wrote {out}: {count} suspect rows")


def _at_most(most: int, audits: "Sequence[Audited]", *, option: str) -> None:
    """Raises if an option cannot take so many columns."""
    if len(audits) > most:
        message = (
            f"{option}: {len(audits)} columns, expected at most {most}: name --device, "
            "--dataset or --metric"
        )
        raise typer.BadParameter(message)


def _enumerated() -> "SearchSpace":
    """Returns the first space that has rows of its own in a file of measurements."""
    from hwnas_env.data.formats import hwnasbench, registered
    from hwnas_env.spaces import TableSpace

    spaces = map(get_space, registered(hwnasbench.FORM))
    return next(space for space in spaces if isinstance(space, TableSpace))


def _report_holes(found: "HWNASBench") -> None:
    from hwnas_env.reports.terminal.printing import say

    holes = found.holes()
    print(f"HW-NAS-Bench, SHA-256 {found.sha256}")
    if not holes:
        print("every column is complete")
    for name, count in holes.items():
        say(f"{name}: {count} values are missing; not served as measured")
