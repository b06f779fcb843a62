"""Files of a network: ONNX for any runtime, and PyTorch's own exported program.

The ONNX graph is written operation by operation from the network's traced graph, which
takes a tenth of a second where PyTorch's exporters take seconds.
"""

import io
import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import path_of
from hwnas_env.data.files import write_file
from hwnas_env.errors import NoNetworkError
from hwnas_env.extras import load_extra
from hwnas_env.networks.build import load_torch
from hwnas_env.types import AnyPath

if TYPE_CHECKING:
    from torch import Tensor, nn

OPSET, IR_VERSION = 17, 8
"""Versions of ONNX's operators and of its files, which runtimes since 2022 read."""

INPUT, OUTPUT = "images", "logits"


def export_torch(network: "nn.Module", images: "Tensor", path: AnyPath) -> Path:
    """Writes a network as PyTorch's exported program, for ``torch.export.load``.

    Args:
        network: in evaluation mode.
        images: an input, ``(N, 3, side, side)``; the file is for inputs of its shape.
        path: the file; an end of its own is .pt2.

    Raises:
        DataError: it cannot be written; what was there before is still there.
    """
    torch = load_torch()
    program = torch.export.export(network.eval(), (images,))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return _written(path, buffer.getvalue())


def export_onnx(network: "nn.Module", images: "Tensor", path: AnyPath) -> Path:
    """Writes a network as an ONNX file.

    Args:
        network: a module of convolutions, normalisations, activations, poolings, sums
            and products; in evaluation mode.
        images: an input, ``(N, 3, side, side)``; the file is for inputs of its shape.
        path: the file.

    Raises:
        NoNetworkError: an operation that is not known; names it.
        MissingExtraError: onnx is not installed.
        DataError: the file cannot be written; what was there before is still there.
    """
    model = onnx_model(network, images)
    return _written(path, model.SerializeToString())


def onnx_model(network: "nn.Module", images: "Tensor") -> Any:
    """Returns the ONNX model of a network; see :func:`export_onnx`."""
    torch = load_torch()
    onnx = load_extra("onnx", extra="torch", purpose="an ONNX file")
    network.eval()
    traced = torch.fx.symbolic_trace(torch.nn.Sequential(network))
    shapes = load_extra(
        "torch.fx.passes.shape_prop", extra="torch", purpose="an ONNX file"
    )
    with torch.inference_mode():
        shapes.ShapeProp(traced).propagate(images)
    graph = _Graph(onnx, dict(traced.named_modules()))
    for node in traced.graph.nodes:
        graph.add(node)
    shape = [list(one) for one in (images.shape, graph.shape)]
    kind = onnx.TensorProto.FLOAT
    body = onnx.helper.make_graph(
        graph.nodes,
        "network",
        [onnx.helper.make_tensor_value_info(INPUT, kind, shape[0])],
        [onnx.helper.make_tensor_value_info(OUTPUT, kind, shape[1])],
        graph.weights,
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(
        body, producer_name="hwnas_env", opset_imports=[opset], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Collects ONNX nodes and weights, one traced operation after the other."""

    def __init__(self, onnx: Any, modules: Mapping[str, Any]) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.shape: tuple[int, ...] = ()
        self._onnx, self._modules = onnx, modules
        self._names: dict[Any, str] = {}
        self._held: set[str] = set()

    def add(self, node: Any) -> None:
        """Adds what a traced node does."""
        if node.op == "placeholder":
            self._names[node] = INPUT
        elif node.op == "output":
            (last,) = node.args
            self.shape = tuple(last.meta["tensor_meta"].shape)
            self.node("Identity", [self._names[last]], OUTPUT)
        elif node.op == "call_module":
            module = self._modules[node.target]
            write = _MODULES.get(type(module).__name__)
            if write is None:
                _refuse(type(module).__name__)
            self._names[node] = write(self, module, self._names[node.args[0]], node)
        elif node.op == "call_function" and node.target in _FUNCTIONS:
            inputs = [
                self._value(one, f"{node.name}.{n}") for n, one in enumerate(node.args)
            ]
            self._names[node] = self.node(_FUNCTIONS[node.target], inputs, node.name)
        else:
            _refuse(str(node.target))

    def _value(self, value: Any, name: str) -> str:
        """Returns a traced value's name; a number becomes a weight."""
        if value in self._names:
            return self._names[value]
        return self.constant(name, np.array(value, dtype=np.float32))

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Adds an operation and returns its output's name."""
        made = self._onnx.helper.make_node(kind, inputs, [name], name, **attributes)
        self.nodes.append(made)
        return name

    def weight(self, name: str, value: Any) -> str:
        """Adds a parameter and returns its name."""
        return self.constant(name, value.detach().cpu().numpy())

    def constant(self, name: str, array: npt.NDArray[Any]) -> str:
        """Adds numbers, once where a module is used twice, and returns their name."""
        if name not in self._held:
            self._held.add(name)
            self.weights.append(self._onnx.numpy_helper.from_array(array, name))
        return name


def _convolution(graph: _Graph, module: Any, x: str, node: Any) -> str:
    _expect(module, padding_mode="zeros", dilation=(1, 1))
    if isinstance(module.padding, str):
        _refuse(f"Conv2d with padding={module.padding!r}")
    names = [x, graph.weight(f"{node.target}.weight", module.weight)]
    if module.bias is not None:
        names.append(graph.weight(f"{node.target}.bias", module.bias))
    return graph.node(
        "Conv",
        names,
        node.name,
        kernel_shape=list(module.kernel_size),
        strides=list(module.stride),
        pads=[*module.padding, *module.padding],
        group=module.groups,
    )


def _normalisation(graph: _Graph, module: Any, x: str, node: Any) -> str:
    _expect(module, affine=True, track_running_stats=True)
    names = [
        graph.weight(f"{node.target}.{name}", getattr(module, name))
        for name in ("weight", "bias", "running_mean", "running_var")
    ]
    return graph.node(
        "BatchNormalization", [x, *names], node.name, epsilon=float(module.eps)
    )


def _average(graph: _Graph, module: Any, x: str, node: Any) -> str:
    _expect(module, ceil_mode=False, divisor_override=None)
    kernel, stride, padding = (
        [one, one] if isinstance(one, int) else list(one)
        for one in (module.kernel_size, module.stride, module.padding)
    )
    return graph.node(
        "AveragePool",
        [x],
        node.name,
        kernel_shape=kernel,
        strides=stride,
        pads=[*padding, *padding],
        count_include_pad=int(module.count_include_pad),
    )


def _global_average(graph: _Graph, module: Any, x: str, node: Any) -> str:
    if module.output_size not in (1, (1, 1)):
        _refuse(f"AdaptiveAvgPool2d({module.output_size})")
    return graph.node("GlobalAveragePool", [x], node.name)


def _classifier(graph: _Graph, module: Any, x: str, node: Any) -> str:
    names = [
        graph.weight(f"{node.target}.{name}", value)
        for name, value in module.named_parameters()
    ]
    return graph.node("Gemm", [x, *names], node.name, transB=1)


def _flatten(graph: _Graph, module: Any, x: str, node: Any) -> str:
    _expect(module, start_dim=1, end_dim=-1)
    return graph.node("Flatten", [x], node.name)


def _silu(graph: _Graph, module: Any, x: str, node: Any) -> str:
    del module
    gate = graph.node("Sigmoid", [x], f"{node.name}.gate")
    return graph.node("Mul", [x, gate], node.name)


def _shuffle(graph: _Graph, module: Any, x: str, node: Any) -> str:
    n, channels, height, width = node.meta["tensor_meta"].shape
    groups = module.groups
    apart = np.array([n, groups, channels // groups, height * width])
    together = np.array([n, channels, height, width])
    name = graph.constant(f"{node.name}.apart", apart)
    split = graph.node("Reshape", [x, name], f"{node.name}.split")
    turned = graph.node("Transpose", [split], f"{node.name}.turned", perm=[0, 2, 1, 3])
    name = graph.constant(f"{node.name}.together", together)
    return graph.node("Reshape", [turned, name], node.name)


def _same(kind: str) -> Callable[[_Graph, Any, str, Any], str]:
    def write(graph: _Graph, module: Any, x: str, node: Any) -> str:
        del module
        return graph.node(kind, [x], node.name)

    return write


_MODULES: Mapping[str, Callable[[_Graph, Any, str, Any], str]] = {
    "AdaptiveAvgPool2d": _global_average,
    "AvgPool2d": _average,
    "BatchNorm2d": _normalisation,
    "ChannelShuffle": _shuffle,
    "Conv2d": _convolution,
    "Flatten": _flatten,
    "Identity": _same("Identity"),
    "Linear": _classifier,
    "ReLU": _same("Relu"),
    "SiLU": _silu,
    "Sigmoid": _same("Sigmoid"),
}
"""What writes a module, by its class in ``torch.nn``."""

_FUNCTIONS = {operator.add: "Add", operator.mul: "Mul"}
"""ONNX's words for operations between values."""


def _expect(module: Any, **known: Any) -> None:
    """Refuses a module that would be written as another one."""
    for name, value in known.items():
        if getattr(module, name) != value:
            _refuse(f"{type(module).__name__} with {name}={getattr(module, name)!r}")


def _refuse(operation: str) -> NoReturn:
    message = (
        f"ONNX: {operation} is not known; known are {', '.join(_MODULES)}, sums and "
        "products: torch.onnx.export writes other networks"
    )
    raise NoNetworkError(message)


def _written(path: AnyPath, content: bytes) -> Path:
    file = path_of(path)
    write_file(file, content, what="network")
    return file
