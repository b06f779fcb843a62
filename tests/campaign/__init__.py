"""Hostile files, kills, odd arguments and long plays, drawn by a seed.

    python -m tests.campaign [--minutes 60] [--seed N] [--only files]

Prints the seed, how much of each sort was tried, and every failure with what is needed
to see it again; the exit status is 1 if there was any.
"""
