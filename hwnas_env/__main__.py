"""Runs the command line: ``python -m hwnas_env``."""

from hwnas_env.cli import main

if __name__ == "__main__":
    main()
