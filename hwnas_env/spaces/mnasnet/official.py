"""What Accel-NASBench's files say of a network, read as ours."""

from collections.abc import Mapping
from typing import Any

from hwnas_env.errors import InvalidGenotypeError, shown
from hwnas_env.spaces.mnasnet.space import SPACE
from hwnas_env.types import Genotypes

FLAGS = {True: True, False: False, "True": True, "False": False}
"""How a file may write whether a block has squeeze-and-excitation; 0 and 1 too."""


class OfficialNetworks:
    """Reads the ``architecture`` of Accel-NASBench's files."""

    space = SPACE

    def genotype(self, architecture: Mapping[str, Any]) -> Genotypes:
        """Reads ``block0_e`` to ``block6_se``: ``(7,)`` int8.

        Raises:
            InvalidGenotypeError: one is missing, or nothing that a block can have.
            UnknownNameError: a block that there is not.
        """
        parts: dict[str, list[Any]] = {"e": [], "k": [], "l": [], "se": []}
        for position in range(SPACE.length):
            for part, values in parts.items():
                key = f"block{position}_{part}"
                value = architecture.get(key)
                known = isinstance(value, (int, str)) and value in FLAGS
                if not (known if part == "se" else type(value) is int):
                    expected = "true or false" if part == "se" else "a whole number"
                    message = f"{key}: expected {expected}, got {shown(value)}"
                    raise InvalidGenotypeError(message)
                values.append(FLAGS[value] if part == "se" else value)
        return SPACE.from_lists(*parts.values())

    def sizes(self, genotype: Genotypes) -> dict[str, int]:
        """Returns the counts of ``model_info``, by its names."""
        return {
            "params": int(SPACE.parameters(genotype)[0]),
            "macs": int(SPACE.flops(genotype)[0]),
        }


OFFICIAL = OfficialNetworks()
"""What reads a network."""
