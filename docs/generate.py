"""Writes the generated pages of the documentation; ``--check`` only compares them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from agents_page import agents_page
from api_pages import api_pages
from family_pages import family_pages
from pages import PAGES
from zoo import ZOO_PAGES

FOLDER = Path(__file__).parent


def studies() -> str:
    """Writes the page of agents from the studies that are recorded beside it."""
    tuning, against = (
        json.loads((FOLDER / "figures" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("tuning", "significance")
    )
    return agents_page(tuning, against)


def main() -> int:
    """Writes or compares every generated page; returns the exit status."""
    stale = []
    pages: dict[str, Callable[[], str]] = {
        **PAGES,
        **ZOO_PAGES,
        **api_pages(),
        **family_pages(),
        "agent_studies.md": studies,
    }
    for name, page in pages.items():
        path, text = FOLDER / name, page()
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run: make docs\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
