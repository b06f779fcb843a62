"""Published splits of devices for few-shot transfer, as far as the devices are here."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hwnas_env.showing import ByName

_GPUS = tuple(f"gtx1080ti_{batch}" for batch in (1, 32))
_REST = (
    *("xeonsilver4114", "xeonsilver4210r", "galaxya50", "pixel3", "essential"),
    "galaxys7",
)


@dataclass(frozen=True)
class Split:
    """Says which devices are known, and which are new; names out of ``DEVICES``.

    Attributes:
        train: devices whose costs are known in full.
        valid: devices to choose settings on.
        test: devices of which a few networks are measured.
        missing: devices of the publication that are not here, in its words.
        citation: whose split it is.
    """

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]
    missing: tuple[str, ...]
    citation: str


_HELP = "Lee et al., HELP, NeurIPS 2021 (arXiv 2106.08630)"

SPLITS: Mapping[str, Mapping[str, Split]] = ByName(
    {
        "HELP": MappingProxyType(
            {
                "nasbench201": Split(
                    train=(*_GPUS, "gtx1080ti_256", *_REST),
                    valid=("titanx_1", "titanx_32", "titanx_256", "xeongold6240"),
                    test=("fpga", "raspi4", "eyeriss"),
                    missing=("titan_rtx_256", "gold_6226", "pixel2"),
                    citation=_HELP,
                ),
                "fbnet": Split(
                    train=(*_GPUS, "gtx1080ti_64", *_REST),
                    valid=("titanx_1", "titanx_32", "titanx_64", "xeongold6240"),
                    test=("fpga", "raspi4", "eyeriss"),
                    missing=("titan_rtx_64", "gold_6226", "pixel2"),
                    citation=_HELP,
                ),
            }
        )
    },
    what="splits",
)
"""Splits by their publication's name and the search space's."""
