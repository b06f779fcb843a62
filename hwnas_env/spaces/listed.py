"""What import needs to know of a search space: enough for its ids."""

import importlib
from typing import Any

from hwnas_env.engines.registry import Listed


class ListedSpace(Listed):
    """Stands for one of the package's search spaces; its room is loaded when used."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        size: int,
        datasets: tuple[str, ...],
        default_dataset: str,
        has_population: bool = False,
    ) -> None:
        """Says what the space itself says under the same names."""
        super().__init__(name, label)
        self.size, self.datasets = size, datasets
        self.default_dataset = default_dataset
        self.has_population = has_population

    def read(self) -> Any:
        """Loads the room."""
        return importlib.import_module(f"hwnas_env.spaces.{self.name}").SPACE
