"""Prints the lowest version of every package that this one declares, a line each.

    python tests/lowest.py [EXTRA ...]

The package has to be installed, if only by ``pip install --no-deps``: its metadata is
what is read.
"""

import re
import sys
from importlib.metadata import requires


def lowest(extras: list[str]) -> list[str]:
    """Pins what is required at its lower bound; what has none is left free."""
    pins = []
    for requirement in requires("hwnas_env") or []:
        named = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
        if named and named[1] not in extras:
            continue
        text = requirement.partition(";")[0].strip()
        pins.append(re.sub(r">=([^,\s]+).*", r"==\1", text))
    return sorted(set(pins))


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest(sys.argv[1:])) + "\n")
