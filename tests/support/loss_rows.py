"""Every loss beside its counterpart in PyTorch, and what draws arguments for both."""

import warnings

import torch
import torch.nn.functional as F
from hypothesis import strategies as st

from descent import losses

SHAPES = [(), (1,), (4,), (3, 5), (2, 1, 3), (0,), (0, 3), (2, 0, 3)]
CLASS_SHAPES = [(3,), (1,), (4, 3), (5, 1), (2, 3, 4), (2, 4, 1, 3), (0, 3), (0, 3, 2), (2, 3, 0)]
VECTOR_SHAPES = [(3,), (1,), (4, 3), (2, 1), (0, 3)]
REDUCTIONS = ["none", "mean", "sum"]


class Numbers:
    """Tensors of one dtype: away from kinks, right on them, or of every size up to 1e4."""

    def __init__(self, seed, dtype, kind):
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype
        self.kind = kind

    def real(self, shape):
        if self.kind == "smooth":
            return 3 * torch.randn(shape, generator=self.generator, dtype=self.dtype)
        if self.kind == "grid":
            return self.among([-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0], shape)
        return self.among([-1e4, -30.0, -1.0, 0.0, 1e-3, 20.5, 1e4], shape)

    def positive(self, shape):
        return 0.1 + torch.rand(shape, generator=self.generator, dtype=self.dtype)

    def among(self, values, shape):
        return torch.tensor(values, dtype=self.dtype)[self.below(len(values), shape)]

    def below(self, end, shape):
        return torch.randint(end, shape, generator=self.generator)


# Each takes Hypothesis's `draw` and the numbers; it returns the arguments, of which those that
# require a gradient are compared by it, and the options.


def _pair(draw, numbers, options=None):
    shape = draw(st.sampled_from(SHAPES))
    input, target = numbers.real(shape), numbers.real(shape)
    return [input.requires_grad_(), target.requires_grad_()], options or {}


def _with(name, values):
    def arguments(draw, numbers):
        return _pair(draw, numbers, {name: draw(st.sampled_from(values))})

    return arguments


def _logarithms(draw, numbers):
    input = numbers.real(draw(st.sampled_from([s for s in CLASS_SHAPES if 0 not in s])))
    return [input.requires_grad_()], {"dim": draw(st.integers(-input.ndim, input.ndim - 1))}


def _any_shape(draw, numbers):
    return [numbers.real(draw(st.sampled_from(SHAPES))).requires_grad_()], {}


def _binary(draw, numbers):
    shape = draw(st.sampled_from(SHAPES))
    target = numbers.among([0.0, 0.125, 0.5, 1.0], shape)
    options = {}
    for name in ("weight", "pos_weight"):
        kept = draw(st.integers(0, len(shape)))
        ones = draw(st.lists(st.booleans(), min_size=kept, max_size=kept))
        sizes = [
            1 if one else size for one, size in zip(ones, shape[len(shape) - kept :], strict=True)
        ]
        if draw(st.booleans()):
            options[name] = numbers.positive(sizes)
    return [numbers.real(shape).requires_grad_(), target], options


def _class_options(draw, numbers, num_classes):
    if not draw(st.booleans()):
        return {}
    weight = numbers.positive((num_classes,))
    weight[0] = draw(st.sampled_from([weight[0].item(), 0.0]))
    return {"weight": weight}


def _indices(draw, numbers):
    shape = draw(st.sampled_from(CLASS_SHAPES))
    dim = min(1, len(shape) - 1)
    num_classes = shape[dim]
    target = numbers.below(num_classes, shape[:dim] + shape[dim + 1 :])
    options = _class_options(draw, numbers, num_classes)
    ignored = draw(st.sampled_from(["default", "some", "a class", "all"]))
    if ignored == "some":
        options["ignore_index"] = -7
        target = torch.where(numbers.below(2, target.shape) == 1, target, -7)
    elif ignored == "a class":
        options["ignore_index"] = draw(st.integers(0, num_classes - 1))
    elif ignored == "all":
        target = torch.full_like(target, -100)
    return [numbers.real(shape).requires_grad_(), target], options


def _log_probabilities(draw, numbers):
    (input, target), options = _indices(draw, numbers)
    return [-input.detach().abs().requires_grad_(), target], options


def _smoothed(draw, numbers):
    arguments, options = _indices(draw, numbers)
    return arguments, options | {"label_smoothing": draw(st.sampled_from([0.0, 0.1, 1.0]))}


def _focal(draw, numbers):
    arguments, options = _indices(draw, numbers)
    return arguments, options | {"gamma": draw(st.sampled_from([0.0, 1.0, 2.0, 3.5]))}


def _distributions(draw, numbers):
    shape = draw(st.sampled_from(CLASS_SHAPES))
    dim = min(1, len(shape) - 1)
    target = numbers.real(shape).softmax(dim)
    options = _class_options(draw, numbers, shape[dim])
    options["label_smoothing"] = draw(st.sampled_from([0.0, 0.1, 1.0]))
    return [numbers.real(shape).requires_grad_(), target.requires_grad_()], options


def _divergence(draw, numbers):
    shape = draw(st.sampled_from(SHAPES))
    input = -numbers.real(shape).abs()
    log_target = draw(st.booleans())
    if log_target:
        target = -numbers.real(shape).abs()
    else:
        target = numbers.among([0.0, 0.2, 0.7, 1.0], shape)
    # The derivative of p log p at 0 is minus infinity.
    target.requires_grad_(log_target)
    return [input.requires_grad_(), target], {"log_target": log_target}


def _counts(draw, numbers):
    shape = draw(st.sampled_from(SHAPES))
    options = {"log_input": draw(st.booleans()), "full": draw(st.booleans())}
    input = numbers.real(shape)
    if not options["log_input"]:
        input = input.abs() + 1e-3
        options["eps"] = draw(st.sampled_from([1e-8, 1e-2]))
    target = numbers.among([0.0, 0.5, 1.0, 2.0, 7.0, 1000.0], shape)
    return [input.requires_grad_(), target], options


def _gaussian(draw, numbers):
    shape = draw(st.sampled_from(SHAPES))
    shapes = [shape]
    if shape:
        shapes += [shape[:-1], (*shape[:-1], 1), (1, *shape[1:])]
    if draw(st.booleans()):
        var = draw(st.sampled_from([0.0, 1e-9, 0.5, 40.0]))
    else:
        var = numbers.positive(draw(st.sampled_from(shapes)))
        # Below eps the gradient is not the limit of differences.
        if numbers.kind != "smooth":
            var = torch.where(var < 0.4, 1e-9, var)
        var.requires_grad_()
    options = {"full": draw(st.booleans()), "eps": draw(st.sampled_from([1e-6, 1e-2]))}
    input, target = numbers.real(shape), numbers.real(shape)
    return [input.requires_grad_(), target.requires_grad_(), var], options


def _signs(draw, numbers, options=None):
    input = numbers.real(draw(st.sampled_from(SHAPES)))
    target = 2 * numbers.below(2, input.shape) - 1
    if draw(st.booleans()):
        target = target.to(numbers.dtype)
    return [input.requires_grad_(), target], options or {}


def _moderate_signs(draw, numbers):
    (input, target), options = _signs(draw, numbers)
    return [input.detach().clamp(-30, 30).requires_grad_(), target], options


def _distances(draw, numbers):
    return _signs(draw, numbers, {"margin": draw(st.sampled_from([0.0, 1.0, 2.5]))})


def _scores(draw, numbers):
    # Of an empty batch PyTorch returns memory that was never written.
    input = numbers.real(draw(st.sampled_from([(3,), (1,), (4, 3), (5, 1)])))
    target = numbers.below(input.shape[-1], input.shape[:-1])
    options = _class_options(draw, numbers, input.shape[-1])
    options |= {"p": draw(st.sampled_from([1, 2])), "margin": draw(st.sampled_from([0.5, 1.0]))}
    return [input.requires_grad_(), target], options


def _two_vectors(draw, numbers):
    shape = draw(st.sampled_from(VECTOR_SHAPES))
    target = 2 * numbers.below(2, shape[:-1]) - 1
    options = {"margin": draw(st.sampled_from([-0.5, 0.0, 0.5]))}
    one, two = numbers.real(shape), numbers.real(shape)
    return [one.requires_grad_(), two.requires_grad_(), target], options


def _triplets(draw, numbers):
    shape = draw(st.sampled_from([*VECTOR_SHAPES, (2, 3, 4)]))
    options = {
        "margin": draw(st.sampled_from([0.5, 1.0])),
        "p": draw(st.sampled_from([1.0, 2.0, 3.0])),
        "swap": draw(st.booleans()),
    }
    return [numbers.real(shape).requires_grad_() for _ in range(3)], options


# What PyTorch has no function for, put together from its own parts.


def _reduced(loss, reduction):
    return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[reduction]


def _their_logsumexp(input, dim):
    # Its gradient loses the digits that the value has lost, unless it is shifted first.
    shift = input.detach().amax(dim, keepdim=True)
    shift = torch.where(shift.isfinite(), shift, 0.0)
    return torch.logsumexp(input - shift, dim) + shift.squeeze(dim)


def _their_softplus(input):
    return -F.logsigmoid(-input)


def _their_soft_margin(input, target, reduction):
    return _reduced(-F.logsigmoid(target * input), reduction)


def _their_quantile(input, target, quantile, reduction):
    l1 = F.l1_loss(input, target, reduction="none")
    return _reduced(0.5 * l1 + (quantile - 0.5) * (target - input), reduction)


def _their_focal(input, target, gamma, reduction, weight=None, ignore_index=-100):
    dim = min(1, input.ndim - 1)
    loss = F.cross_entropy(
        input, target, weight=weight, ignore_index=ignore_index, reduction="none"
    )
    index = torch.where(target == ignore_index, 0, target)
    probability = input.softmax(dim).gather(dim, index.unsqueeze(dim)).squeeze(dim)
    loss = ((1 - probability) ** gamma * loss).masked_fill(target == ignore_index, 0)
    if reduction == "mean":
        weights = torch.ones_like(loss) if weight is None else weight[index]
        return loss.sum() / weights.masked_fill(target == ignore_index, 0).sum()
    return _reduced(loss, reduction)


def their_kl_div(*args, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "reduction: 'mean' divides the total loss")
        return F.kl_div(*args, **options)


CASES = {
    # name: (ours, PyTorch's, the arguments, the reductions)
    "logsumexp": (losses.logsumexp, _their_logsumexp, _logarithms, None),
    "log_softmax": (losses.log_softmax, F.log_softmax, _logarithms, None),
    "softplus": (losses.softplus, _their_softplus, _any_shape, None),
    "mse_loss": (losses.mse_loss, F.mse_loss, _pair, REDUCTIONS),
    "l1_loss": (losses.l1_loss, F.l1_loss, _pair, REDUCTIONS),
    "huber_loss": (losses.huber_loss, F.huber_loss, _with("delta", [0.5, 1.0, 1.345]), REDUCTIONS),
    "smooth_l1_loss": (
        losses.smooth_l1_loss,
        F.smooth_l1_loss,
        _with("beta", [0, 0.5, 1.0, 3.0]),
        REDUCTIONS,
    ),
    "quantile_loss": (
        losses.quantile_loss,
        _their_quantile,
        _with("quantile", [0.05, 0.5, 0.9]),
        REDUCTIONS,
    ),
    "binary_cross_entropy_with_logits": (
        losses.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits,
        _binary,
        REDUCTIONS,
    ),
    "nll_loss": (losses.nll_loss, F.nll_loss, _log_probabilities, REDUCTIONS),
    "cross_entropy, indices": (losses.cross_entropy, F.cross_entropy, _smoothed, REDUCTIONS),
    "cross_entropy, probabilities": (
        losses.cross_entropy,
        F.cross_entropy,
        _distributions,
        REDUCTIONS,
    ),
    "focal_loss": (losses.focal_loss, _their_focal, _focal, REDUCTIONS),
    "kl_div": (losses.kl_div, their_kl_div, _divergence, REDUCTIONS),
    "poisson_nll_loss": (losses.poisson_nll_loss, F.poisson_nll_loss, _counts, REDUCTIONS),
    "gaussian_nll_loss": (losses.gaussian_nll_loss, F.gaussian_nll_loss, _gaussian, REDUCTIONS),
    "hinge_embedding_loss": (
        losses.hinge_embedding_loss,
        F.hinge_embedding_loss,
        _distances,
        REDUCTIONS,
    ),
    "multi_margin_loss": (losses.multi_margin_loss, F.multi_margin_loss, _scores, REDUCTIONS),
    "soft_margin_loss": (
        losses.soft_margin_loss,
        F.soft_margin_loss,
        _moderate_signs,
        REDUCTIONS,
    ),
    "soft_margin_loss, any logits": (
        losses.soft_margin_loss,
        _their_soft_margin,
        _signs,
        REDUCTIONS,
    ),
    "cosine_embedding_loss": (
        losses.cosine_embedding_loss,
        F.cosine_embedding_loss,
        _two_vectors,
        REDUCTIONS,
    ),
    "triplet_margin_loss": (
        losses.triplet_margin_loss,
        F.triplet_margin_loss,
        _triplets,
        REDUCTIONS,
    ),
}
