"""``python -m calibration REFERENCE`` computes the committed files again."""

import sys
from pathlib import Path

from calibration.everything import calibrate_all

if __name__ == "__main__":
    for path in calibrate_all(Path(sys.argv[1])):
        print(f"wrote {path} ({path.stat().st_size} bytes)")
