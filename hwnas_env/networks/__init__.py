"""PyTorch modules of any space's networks, what they count, and files of them."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.networks.build import build_network as build_network
    from hwnas_env.networks.build import count as count
    from hwnas_env.networks.build import example as example
    from hwnas_env.networks.export import export_onnx as export_onnx
    from hwnas_env.networks.export import export_torch as export_torch

_HOMES = {
    "build_network": "hwnas_env.networks.build",
    "count": "hwnas_env.networks.build",
    "example": "hwnas_env.networks.build",
    "export_onnx": "hwnas_env.networks.export",
    "export_torch": "hwnas_env.networks.export",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
