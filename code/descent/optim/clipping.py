"""Clipping: no gradient of the whole model is longer than a given length."""

from functools import cache
from typing import Annotated, Any

import torch

from descent._checks import Number
from descent._signatures import Positives, checked
from descent.optim._base import RuleOptimizer
from descent.optim._hyperparameters import In
from descent.optim._lifted import around
from descent.optim._shapes import ModelState, Oracle, Params


@checked
def clip_grad_norm(grads: Params, max_norm: Positives) -> Params:
    r"""Shorten a model's gradient to a given length, if it is longer.

    .. math::
        g \mapsto g \min\left(1,\ \frac{c}{\|g\| + 10^{-6}}\right)

    :math:`g` is ``grads``, all tensors end to end, and :math:`c` is ``max_norm``. It is
    ``torch.nn.utils.clip_grad_norm_`` as a pure function.

    Args:
        grads: the gradient, tensor by tensor.
        max_norm: the length that it may have, above 0.

    Returns:
        The gradient, tensor by tensor.

    Raises:
        ValueError: ``max_norm`` is not above 0.

    Example:
        >>> import torch
        >>> clip_grad_norm((torch.tensor([3.0]), torch.tensor([4.0])), 1.0)
        (tensor([0.6000]), tensor([0.8000]))

    References:
        Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML
        2013, algorithm 1.
    """
    return _clipped(grads, max_norm)


def _clipped(grads: Params, max_norm: Number) -> Params:
    if not grads:
        return grads
    norm = torch.stack([torch.linalg.vector_norm(grad) for grad in grads]).norm()
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    return tuple((grad * scale).to(grad.dtype) for grad in grads)


@cache
@checked
def clipped(optimizer: type[RuleOptimizer[...]]) -> type[RuleOptimizer[...]]:
    """Make an optimizer that shortens the whole model's gradient before another one sees it.

    Args:
        optimizer: of any shape; one that asks for several gradients has each of them shortened.

    Returns:
        Its hyperparameters are those of ``optimizer``, and by name ``max_norm``. To pickle an
        instance, give the class a name of your own: ``class Mine(clipped(SGD)): ...``.

    Example:
        >>> import torch
        >>> from descent.optim import SGD
        >>> ClippedSGD = clipped(SGD)
        >>> theta = torch.tensor([3.0, 4.0], requires_grad=True)
        >>> optimizer = ClippedSGD([theta], lr=1.0, max_norm=0.5)
        >>> (0.5 * theta**2).sum().backward()
        >>> _ = optimizer.step()
        >>> theta.detach()
        tensor([2.7000, 3.6000])
    """

    def clip(
        params: Params,
        oracle: Oracle,
        state: ModelState,
        *,
        max_norm: Annotated[
            Number, In("(0, inf)"), "the length that the whole model's gradient may have"
        ] = 1.0,
        **others: Any,
    ) -> tuple[Params, ModelState]:
        r"""Clip the gradient of the whole model, then step as usual.

        .. math::
            g \mapsto g \min\left(1,\ \frac{c}{\|g\| + 10^{-6}}\right)

        :math:`c` is ``max_norm``; see :func:`clip_grad_norm`.

        References:
            Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks,
            ICML 2013, algorithm 1.
        """

        def shortened(at: Params) -> tuple[Any, Params]:
            loss, grads = oracle(at)
            return loss, _clipped(grads, max_norm)

        return optimizer.update(params, shortened, state, **others)

    return around(optimizer, f"Clipped{optimizer.__name__}", clip)
