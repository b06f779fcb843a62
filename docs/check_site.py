"""Checks a built site: every internal link and anchor is there, nothing is fetched.

python docs/check_site.py docs/_build/html
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}
"""Elements that a browser asks for by itself, and what names their address."""

KEPT = ("canonical", "search", "index", "next", "prev")
"""Kinds of ``link`` that nothing is fetched for."""


class Page(HTMLParser):
    """What one page has: ids, links, and addresses that a browser fetches."""

    def __init__(self, text: str) -> None:
        """Reads a page."""
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what an element names."""
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[key] for key in ("id", "name") if key in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        address = found.get(FETCHED.get(tag, ""))
        if address and found.get("rel") not in KEPT:
            self.fetched.append(address)


def faults(folder: Path) -> list[str]:
    """Returns a sentence for every link that leads nowhere."""
    pages = {
        path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")
    }
    wrong = []
    for path, page in pages.items():
        where = path.relative_to(folder)
        for address in (*page.links, *page.fetched):
            parts = urlsplit(address)
            if parts.scheme == "data" or (parts.scheme and address in page.links):
                continue
            if parts.scheme or parts.netloc:
                wrong.append(f"{where} fetches {address}")
                continue
            target = (
                (path.parent / unquote(parts.path)).resolve() if parts.path else path
            )
            if not target.is_file():
                wrong.append(f"{where}: no file {address}")
            elif parts.fragment and target in pages:
                known = pages[target].ids | {""}
                if unquote(parts.fragment) not in known:
                    wrong.append(f"{where}: no anchor {address}")
    return sorted(set(wrong))


def main() -> int:
    """Prints what is wrong; returns the exit status."""
    found = faults(Path(sys.argv[1]).resolve())
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
