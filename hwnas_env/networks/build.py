"""Builds a genotype's network, and counts its parameters and multiply-adds."""

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from hwnas_env.arguments import check_whole
from hwnas_env.engines.space import SearchSpace
from hwnas_env.extras import load_extra

if TYPE_CHECKING:
    from torch import Tensor, nn


def load_torch() -> Any:
    """Imports PyTorch.

    Raises:
        MissingExtraError: it is not installed; says how to.
    """
    return load_extra("torch", extra="torch", purpose="a network")


def build_network(
    space: SearchSpace,
    genotype: npt.ArrayLike,
    *,
    dataset: str | None = None,
    seed: int = 0,
) -> "nn.Module":
    """Builds the network of a genotype, in evaluation mode.

    Args:
        space: the search space.
        genotype: ``(L,)``.
        dataset: one of the space's, its default by default; it sets the input's size
            and the number of classes.
        seed: what the weights are drawn from; PyTorch's own generator stays as it is.

    Returns:
        A module of images ``(N, 3, side, side)`` to logits ``(N, classes)``.

    Raises:
        NoNetworkError: the space offers none.
        MissingExtraError: PyTorch is not installed.
        InvalidGenotypeError, UnknownNameError: as their names say.
        InvalidArgumentError: a seed that is no whole number of 63 bits.
    """
    torch = load_torch()
    name = space.default_dataset if dataset is None else space.check_dataset(dataset)
    row = space.validate_one(genotype)
    plan = space.network(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(check_whole(seed, what="seed"))
        network: nn.Module = plan.build(row).eval()
    return network


def example(
    space: SearchSpace, *, dataset: str | None = None, batch: int = 1
) -> "Tensor":
    """Returns an input for the space's networks, always the same.

    Args:
        space: the search space.
        dataset: one of the space's, its default by default.
        batch: how many images.

    Returns:
        ``(batch, 3, side, side)`` float32.
    """
    torch = load_torch()
    name = space.default_dataset if dataset is None else space.check_dataset(dataset)
    side = space.network(name).side
    generator = torch.Generator().manual_seed(0)
    images: Tensor = torch.randn(batch, 3, side, side, generator=generator)
    return images


def count(
    space: SearchSpace, network: "nn.Module", *, dataset: str | None = None
) -> tuple[int, int]:
    """Counts parameters, and multiply-adds of one image, by running a network once.

    Multiply-adds as the space counts them, so that they equal ``space.flops``.

    Args:
        space: the search space that the network is of.
        network: what :func:`build_network` returned.
        dataset: the one that it was built for.
    """
    torch = load_torch()
    nn = torch.nn
    name = space.default_dataset if dataset is None else space.check_dataset(dataset)
    plan = space.network(name)
    work = 0

    def add(module: Any, inputs: Any, output: Any) -> None:
        nonlocal work
        if isinstance(module, nn.Conv2d):
            taps = module.kernel_size[0] * module.kernel_size[1]
            work += output.numel() * taps * (module.in_channels // module.groups)
        elif isinstance(module, nn.Linear):
            work += output.numel() * (module.in_features + plan.bias)
        elif isinstance(module, nn.BatchNorm2d):
            work += output.numel() * plan.normalisation
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            work += (inputs[0].numel() + output.numel()) * plan.pooling

    hooks = [module.register_forward_hook(add) for module in network.modules()]
    training = network.training
    try:
        with torch.inference_mode():
            network.eval()(example(space, dataset=name))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return sum(one.numel() for one in network.parameters()), work
