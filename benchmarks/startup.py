"""How long the command line takes to answer: CPU seconds of whole processes.

    python benchmarks/startup.py

Rounds go through all commands in turn; minimum and median of ten, and what is more than
``python -c pass`` takes.
"""

import resource
import statistics
import subprocess
import sys

ROUNDS = 10
OURS = ("--version", "--help", "run --help", "bench run --help", "device --help")
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import hwnas_env": ["-c", "import hwnas_env"],
    **{f"hwnas-env {words}": ["-m", "hwnas_env", *words.split()] for words in OURS},
}


def cpu_seconds(arguments: list[str]) -> float:
    """Returns the user's and the system's seconds of a new process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints a line a command."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            times[name].append(cpu_seconds(arguments))
    bare = statistics.median(times["python -c pass"])
    for name, found in times.items():
        middle = statistics.median(found)
        print(  # noqa: T201
            f"{name:28} min {min(found):.3f} s, median {middle:.3f} s, "
            f"{middle - bare:.3f} s more than Python"
        )


if __name__ == "__main__":
    main()
