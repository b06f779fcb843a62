"""Writes the generated pages of the documentation; ``--check`` only compares them."""

import sys
from pathlib import Path

from hwnas_env.reports.pages import PAGES
from hwnas_env.reports.zoo import ZOO_PAGES

FOLDER = Path(__file__).parent


def main() -> int:
    """Writes or compares every generated page; returns the exit status."""
    stale = []
    for name, page in {**PAGES, **ZOO_PAGES}.items():
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
