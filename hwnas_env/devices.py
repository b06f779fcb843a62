"""The six devices of HW-NAS-Bench."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hwnas_env.arguments import check_name


@dataclass(frozen=True)
class Device:
    """Describes one device.

    Attributes:
        name: the key in ``DEVICES`` and upstream's prefix ("edgetpu").
        label: the word in environment ids ("EdgeTPU").
        hardware: what was measured.
        group: commercial edge device, FPGA or ASIC, as the paper groups them.
        metrics: what is measured in every search space.
        nasbench201_metrics: what is measured in NAS-Bench-201 on top of that.
    """

    name: str
    label: str
    hardware: str
    group: str
    metrics: tuple[str, ...]
    nasbench201_metrics: tuple[str, ...] = ()

    def metrics_in(self, space_name: str) -> tuple[str, ...]:
        """Returns the device's metrics in a search space, by name."""
        extra = self.nasbench201_metrics if space_name == "nasbench201" else ()
        return self.metrics + extra


_LATENCY = ("latency_ms",)
_BOTH = ("latency_ms", "energy_mj")

DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        device.name: device
        for device in (
            Device("edgegpu", "EdgeGPU", "NVIDIA Jetson TX2, TensorRT", "edge", _BOTH),
            Device("raspi4", "Raspi4", "Raspberry Pi 4, TF Lite", "edge", _LATENCY),
            Device("edgetpu", "EdgeTPU", "Coral Dev Board, int8", "edge", _LATENCY),
            Device("pixel3", "Pixel3", "Google Pixel 3, TF Lite", "edge", _LATENCY),
            Device(
                "eyeriss",
                "Eyeriss",
                "simulator",
                "ASIC",
                _BOTH,
                ("arithmetic_intensity",),
            ),
            Device("fpga", "FPGA", "Xilinx ZC706, Vivado HLS", "FPGA", _BOTH),
        )
    }
)
"""Every device by name."""

LABELS: Mapping[str, str] = MappingProxyType(
    {device.label: device.name for device in DEVICES.values()}
)
"""Device names by the label that environment ids use."""


def get_device(name: str) -> Device:
    """Returns the device of that name or label ("edgetpu" or "EdgeTPU").

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    key = LABELS.get(name, name) if isinstance(name, str) else name
    return DEVICES[check_name(key, DEVICES, what="device")]
