"""The loss functions, in PyTorch's names: from scratch, on tensor arithmetic alone.

Each takes ``(input, target)``, and a ``reduction``: ``"none"`` for one loss per example,
``"mean"``, or ``"sum"``. None broadcasts: where two shapes differ, it says so. Values and
gradients equal those of ``torch.nn.functional``; a note says where PyTorch departs from its
manual, or loses digits that are kept here.
"""

from descent.losses.classification import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    focal_loss,
    nll_loss,
)
from descent.losses.likelihoods import gaussian_nll_loss, kl_div, poisson_nll_loss
from descent.losses.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    multi_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
)
from descent.losses.regression import (
    huber_loss,
    l1_loss,
    mse_loss,
    quantile_loss,
    smooth_l1_loss,
)
from descent.losses.stable import log_softmax, logsumexp, softplus

__all__ = [
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "focal_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "log_softmax",
    "logsumexp",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "quantile_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softplus",
    "triplet_margin_loss",
]
