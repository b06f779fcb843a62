"""Runtimes that networks are measured in, each on one thread.

A runtime is a function of a network's module and of an input; what it returns runs the
network once. Another one is added to :data:`RUNTIMES` under a name of its own.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hwnas_env.extras import load_extra
from hwnas_env.networks.build import load_torch
from hwnas_env.networks.export import INPUT, export_onnx

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA, PURPOSE = "measure", "measuring networks"

Runner: TypeAlias = Callable[[], object]
"""Runs a network once."""


@dataclass(frozen=True)
class Runtime:
    """What runs networks.

    Attributes:
        package: the package whose version is written into the protocol.
        open: a module in evaluation mode and its input to what runs it once. The third
            argument is a file that belongs to this network alone: what an earlier call
            wrote there may be read again, and then the module is not asked for.
    """

    package: str
    open: Callable[[Callable[[], "nn.Module"], "Tensor", Path], Runner]

    def __call__(self, module: "nn.Module", images: "Tensor") -> Runner:
        """Returns what runs a module on an input once."""
        with tempfile.TemporaryDirectory() as folder:
            return self.open(lambda: module, images, Path(folder) / "network")

    def version(self) -> str:
        """Returns the version of the package.

        Raises:
            MissingExtraError: it is not installed.
        """
        found = load_extra(self.package, extra=EXTRA, purpose=PURPOSE)
        return str(getattr(found, "__version__", "unknown"))


def open_onnxruntime(
    module: Callable[[], "nn.Module"], images: "Tensor", file: Path
) -> Runner:
    """Opens a network in ONNX Runtime: on the CPU, one thread, all optimisations.

    Args:
        module: builds the network; called only where its file is not there yet.
        images: the input.
        file: where the network's ONNX file is, or is to be written.

    Raises:
        MissingExtraError: onnxruntime or onnx is not installed.
        NoNetworkError: the network cannot be written as ONNX.
        DataError: the file cannot be written.
    """
    ort = load_extra("onnxruntime", extra=EXTRA, purpose=PURPOSE)
    session: Any = None
    if file.is_file():
        with contextlib.suppress(Exception):  # a file that was cut off is written anew
            session = _session(ort, file)
    if session is None:
        session = _session(ort, export_onnx(module(), images, file))
    feed = {INPUT: images.numpy()}
    return lambda: session.run(None, feed)


def _session(ort: Any, file: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    return ort.InferenceSession(str(file), options, providers=providers)


def open_torch(
    module: Callable[[], "nn.Module"], images: "Tensor", file: Path
) -> Runner:
    """Opens a network in PyTorch, operation by operation as it stands (eager).

    Args:
        module: builds the network.
        images: the input.
        file: not used; a module is built faster than it is read.
    """
    del file
    torch = load_torch()
    network = module().eval()

    def run() -> object:
        with torch.inference_mode():
            return network(images)

    return run


RUNTIMES: Mapping[str, Runtime] = {
    "onnxruntime": Runtime("onnxruntime", open_onnxruntime),
    "torch": Runtime("torch", open_torch),
}
"""Runtimes by name."""


def randomise(network: "nn.Module", *, seed: int) -> "nn.Module":
    """Gives a network's normalisations numbers of their own, in place.

    A fresh one divides by 1 and adds 0, and a runtime may leave that out.

    Args:
        network: the module, whose other weights are drawn already.
        seed: what the numbers are drawn from.

    Returns:
        The same module, in evaluation mode.
    """
    torch = load_torch()
    generator = torch.Generator().manual_seed(seed)
    ranges = {
        "running_mean": (-0.2, 0.2),
        "running_var": (0.5, 1.5),
        "weight": (0.5, 1.5),
        "bias": (-0.2, 0.2),
    }
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            for name, (low, high) in ranges.items():
                numbers = getattr(module, name)
                if numbers is not None:
                    numbers.data.uniform_(low, high, generator=generator)
    return network.eval()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Lets PyTorch use one thread, and as many as before afterwards."""
    torch = load_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def remove_files(folder: Path) -> None:
    """Removes the networks' files of a session, as far as the system lets them go."""
    with contextlib.suppress(OSError):
        for file in folder.glob("*.network"):
            with contextlib.suppress(OSError):
                file.unlink()
        os.rmdir(folder)
