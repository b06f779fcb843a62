"""A walk that closes nothing, for costs that are known network by network only."""

from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.walk import RATIO_LIMIT, Mask, View, Walk


class OpenWalk(Walk):
    """Follows prefixes of which nothing is known: every choice that there is is open.

    Args:
        space: the search space.
    """

    root = None

    def __init__(self, space: SearchSpace) -> None:
        """See the class."""
        self._existing: Mask = space.existing

    def child(self, depth: int, state: None, action: int) -> None:
        """Returns no state."""
        del depth, state, action

    def view(self, depth: int, state: None) -> View:
        """Leaves all open, and any ratio possible; see :meth:`Walk.view`."""
        del state
        last = len(self._existing) - 1
        return self._existing[min(depth, last)], 0.0, RATIO_LIMIT, True

    def choices(self) -> Mask:
        """Marks all choices that there are; see :meth:`Walk.choices`."""
        return self._existing.copy()
