"""The curvature of a network's loss, by products of the Hessian with a vector."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from descent._checks import check_scalar
from descent._signatures import In, checked


@checked
def sharpness(
    model: nn.Module, loss: Callable[[], Tensor], *, tol: Annotated[float, In("(0, 1)")] = 1e-3
) -> float:
    r"""Compute the largest eigenvalue of the Hessian of ``loss`` in the model's parameters.

    Lanczos' method, by SciPy: it needs products of the Hessian with a vector and never the
    Hessian itself.

    Args:
        model: whose parameters the loss is differentiated in.
        loss: computes the scalar loss anew at the present parameters.
        tol: relative accuracy of the eigenvalue, in (0, 1).

    Returns:
        The largest (most positive) eigenvalue, in units of loss per squared parameter; NaN where
        the gradient or the curvature is not finite.

    Raises:
        TypeError: ``tol`` is not a number, or ``loss`` returns no tensor.
        ValueError: ``tol`` is outside its interval, no parameter requires a gradient, or the loss
            is more than one number.

    Example:
        The loss :math:`w_1^2 + 5 w_2^2` curves by 2 and by 10.

        >>> model = nn.Linear(2, 1, bias=False)
        >>> scale = torch.tensor([1.0, 5.0])
        >>> round(sharpness(model, lambda: (scale * model.weight**2).sum()), 3)
        10.0

    References:
        Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994).
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    params = [param for param in model.parameters() if param.requires_grad]
    if not params:
        raise ValueError("model must have parameters that require a gradient, got none")
    value = loss()
    check_scalar("the loss", value)
    grads = torch.autograd.grad(value, params, create_graph=True, materialize_grads=True)
    flat_grad = torch.cat([grad.flatten() for grad in grads])
    size = flat_grad.numel()
    if not flat_grad.isfinite().all():
        return float("nan")
    if not flat_grad.requires_grad:  # the loss is linear
        return 0.0

    def hessian_times(vector: np.ndarray) -> np.ndarray:
        v = torch.as_tensor(vector.reshape(-1)).to(flat_grad)
        product = torch.autograd.grad(
            flat_grad, params, v, retain_graph=True, materialize_grads=True
        )
        return torch.cat([part.flatten() for part in product]).double().cpu().numpy()

    if size < 3:  # Lanczos needs room for more directions than it returns
        hessian = np.stack([hessian_times(row) for row in np.eye(size)])
        return float(np.linalg.eigvalsh(hessian)[-1])
    operator = LinearOperator((size, size), matvec=hessian_times, dtype=np.float64)
    # A fixed first vector makes the result repeat; a random one may not miss the top direction.
    first = np.random.default_rng(0).standard_normal(size)
    product = hessian_times(first)
    if not np.isfinite(product).all():
        return float("nan")
    if not product.any():  # then the Hessian is zero, which Lanczos cannot take
        return 0.0
    return float(eigsh(operator, k=1, which="LA", tol=tol, v0=first, return_eigenvectors=False)[0])
