"""Every loss against its counterpart in PyTorch, against differences, and against bad input."""

import ast
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from loss_rows import CASES, Numbers, their_kl_div

from descent import losses

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}

ROWS = pytest.mark.parametrize(
    ("ours", "theirs", "arguments", "reductions"), CASES.values(), ids=CASES
)


def test_every_loss_has_its_row():
    assert {row[0].__name__ for row in CASES.values()} == set(losses.__all__)


def test_nothing_is_borrowed():
    borrowed = {"nn", "logsumexp", "log_softmax", "softmax", "logaddexp", "sigmoid", "special"}
    for file in Path(losses.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in borrowed, f"{file.name}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and node.module.startswith("torch"):
                assert [name.name for name in node.names] == ["Tensor"], f"{file.name}"


def value_and_gradients(loss, args, options, seed):
    value = loss(*args, **options)
    compared = [arg for arg in args if isinstance(arg, torch.Tensor) and arg.requires_grad]
    upstream = torch.rand(
        value.shape, generator=torch.Generator().manual_seed(seed), dtype=value.dtype
    )
    return value, torch.autograd.grad(value, compared, upstream)


@ROWS
@settings(deadline=None, max_examples=150)
@given(
    data=st.data(),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(list(TOLERANCE)),
    kind=st.sampled_from(["smooth", "grid", "extreme"]),
)
def test_value_and_gradient_equal_pytorchs(
    ours, theirs, arguments, reductions, data, seed, dtype, kind
):
    args, options = arguments(data.draw, Numbers(seed, dtype, kind))
    if reductions:
        options["reduction"] = data.draw(st.sampled_from(reductions))
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype], "equal_nan": True}
    value, gradients = value_and_gradients(ours, args, options, seed)
    their_value, their_gradients = value_and_gradients(theirs, args, options, seed)
    torch.testing.assert_close(value, their_value, **tolerance)
    torch.testing.assert_close(gradients, their_gradients, **tolerance)


@ROWS
@settings(deadline=None, max_examples=12, derandomize=True)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_first_and_second_derivatives_are_limits_of_differences(
    ours, theirs, arguments, reductions, data, seed
):
    args, options = arguments(data.draw, Numbers(seed, torch.float64, "smooth"))
    if reductions:
        options["reduction"] = "none"
    # A perturbed target is none any more: a count below 0, a probability above 1.
    args[1:] = [arg.detach() if isinstance(arg, torch.Tensor) else arg for arg in args[1:]]
    assert torch.autograd.gradcheck(lambda *args: ours(*args, **options), args)
    assert torch.autograd.gradgradcheck(lambda *args: ours(*args, **options), args)


# What cannot be stated as a row of the table.


def gradient_of(loss, input):
    return torch.autograd.grad(loss(input).sum(), input)[0]


def test_the_gradient_of_logsumexp_is_the_softmax_and_its_value_pytorchs():
    input = torch.tensor([[1e4, 1e4, -1e4], [3.0, 1.0, 2.0]], dtype=torch.float64)
    input.requires_grad_()
    expected = torch.logsumexp(input, 1)
    torch.testing.assert_close(losses.logsumexp(input, 1), expected, rtol=1e-15, atol=0)
    gradient = gradient_of(lambda input: losses.logsumexp(input, 1), input)
    torch.testing.assert_close(gradient, input.softmax(1), rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_logsumexp_takes_infinities_as_pytorch_does(infinite):
    for input in ([infinite, 0.0], [infinite, infinite]):
        input = torch.tensor(input)
        assert losses.logsumexp(input, 0) == torch.logsumexp(input, 0)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.focal_loss])
def test_a_class_that_is_ruled_out_takes_no_part(loss):
    ruled_out = torch.tensor([[1.0, -math.inf, 2.0], [-math.inf, 0.5, 0.0]], requires_grad=True)
    left = torch.tensor([[1.0, 2.0], [0.5, 0.0]], requires_grad=True)
    value, expected = loss(ruled_out, torch.tensor([2, 1])), loss(left, torch.tensor([1, 0]))
    torch.testing.assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, ruled_out)
    (gradient_left,) = torch.autograd.grad(expected, left)
    torch.testing.assert_close(gradient[[0, 0, 1, 1], [0, 2, 1, 2]], gradient_left.flatten())
    assert (gradient[[0, 1], [1, 0]] == 0).all()
    ignored = loss(ruled_out, torch.tensor([2, 0]), ignore_index=0)
    torch.testing.assert_close(ignored, loss(ruled_out[:1], torch.tensor([2])))


def test_the_second_derivative_at_zero_is_that_of_a_sigmoid():
    zero = torch.zeros((), dtype=torch.float64)
    hessian = torch.func.grad(torch.func.grad(losses.softplus))
    assert hessian(zero) == 0.25
    huber = torch.func.grad(torch.func.grad(lambda input: losses.huber_loss(input, zero)))
    assert huber(zero) == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("threshold", [1e-320, 1e-46, 1e-8, 1.0, 1e3, 1e39, 1e308])
@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        (losses.huber_loss, F.huber_loss, "delta"),
        (losses.smooth_l1_loss, F.smooth_l1_loss, "beta"),
    ],
)
def test_a_threshold_of_any_size_gives_what_pytorch_gives(ours, theirs, name, threshold, dtype):
    input = torch.tensor([0.0, 1e-3, -2.0, 200.0, math.nan], dtype=dtype, requires_grad=True)
    found = []
    for loss_fn in (ours, theirs):
        loss = loss_fn(input, torch.zeros_like(input), reduction="none", **{name: threshold})
        found.append((loss, *torch.autograd.grad(loss.sum(), input)))
    tiny = 32 * torch.finfo(dtype).tiny  # near 0 PyTorch computes in a wider type
    for mine, right in zip(*found, strict=True):
        rtol = 2 * torch.finfo(dtype).eps
        assert torch.allclose(mine, right, rtol=rtol, atol=tiny, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_neither_overflows_nor_changes_the_dtype(dtype):
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], dtype=dtype, requires_grad=True)
    target = torch.tensor([0, 0])
    for loss in (losses.cross_entropy, losses.focal_loss):
        value = loss(logits, target, reduction="sum")
        assert value.dtype == dtype
        torch.testing.assert_close(value.float(), torch.tensor(2e4), rtol=4e-3, atol=0)
        assert torch.autograd.grad(value, logits)[0].tolist() == [[0, 0], [-1, 1]]
    smooth = torch.randn(64, 10, generator=torch.Generator().manual_seed(0)).softmax(1).to(dtype)
    assert losses.cross_entropy(smooth, smooth).dtype == dtype


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_the_mean_over_no_weight_is_nan(label_smoothing):
    options = {"weight": torch.tensor([0.0, 1.0, 1.0]), "label_smoothing": label_smoothing}
    for loss in (losses.cross_entropy, F.cross_entropy):
        assert loss(torch.ones(2, 3), torch.tensor([0, 0]), **options).isnan()


@pytest.mark.parametrize("gamma", [0.0, 0.25, 1.0, 2.0])
def test_focal_loss_has_a_gradient_where_the_probability_is_one(gamma):
    for logits in ([[1e4, 0.0]], [[30.0, 0.0, -5.0]], [[0.0]]):
        input = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
        value = losses.focal_loss(input, torch.tensor([0]), gamma=gamma)
        assert 0 <= value < 1e-12
        assert torch.autograd.grad(value, input)[0].abs().max() < 1e-12


def test_focal_loss_is_exact_where_the_probability_is_nearly_one():
    logits = torch.tensor([[30.0, 0.0]], dtype=torch.float64)
    loss = losses.focal_loss(logits, torch.tensor([0]), gamma=0.5)
    torch.testing.assert_close(loss.item(), math.exp(-30) ** 1.5, rtol=1e-2, atol=0.0)


def test_the_quantile_loss_is_least_at_the_quantile():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(1001, generator=generator, dtype=torch.float64)
    for quantile in (0.1, 0.5, 0.9):
        values = torch.stack(
            [
                losses.quantile_loss(guess.expand_as(target), target, quantile=quantile)
                for guess in target
            ]
        )
        assert target[values.argmin()] == target.quantile(quantile)


@pytest.mark.parametrize("name", losses.__all__)
def test_each_example_of_a_batch_can_have_its_own_gradient(name):
    generator = torch.Generator().manual_seed(3)
    input = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    other = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    classes, signs = torch.tensor([0, 3, 1, 2, 1]), torch.tensor([1, -1, 1, -1, 1])
    row = {
        "logsumexp": (lambda input: losses.logsumexp(input, 0), []),
        "log_softmax": (lambda input: losses.log_softmax(input, 0)[0], []),
        "softplus": (lambda input: losses.softplus(input).sum(), []),
        "quantile_loss": (
            lambda input, target: losses.quantile_loss(input, target, quantile=0.3),
            [other],
        ),
        "binary_cross_entropy_with_logits": (None, [other.sigmoid()]),
        "nll_loss": (
            lambda input, target: losses.nll_loss(losses.log_softmax(input, 0), target),
            [classes],
        ),
        "cross_entropy": (None, [classes]),
        "focal_loss": (None, [classes]),
        "multi_margin_loss": (None, [classes]),
        "kl_div": (
            lambda input, target: losses.kl_div(losses.log_softmax(input, 0), target),
            [other.softmax(1)],
        ),
        "poisson_nll_loss": (None, [other.abs()]),
        "gaussian_nll_loss": (None, [other, other.abs()]),
        "hinge_embedding_loss": (None, [signs[:, None].expand(5, 4)]),
        "soft_margin_loss": (None, [signs[:, None].expand(5, 4)]),
        "cosine_embedding_loss": (None, [other, signs]),
        "triplet_margin_loss": (None, [other, other.flip(0)]),
    }.get(name, (None, [other]))
    loss, rest = row[0] or getattr(losses, name), row[1]
    together = torch.func.vmap(torch.func.grad(loss))(input, *rest)
    alone = [torch.func.grad(loss)(*(arg[i] for arg in (input, *rest))) for i in range(5)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-14, atol=1e-14)


# Where PyTorch does what its manual does not say, or loses digits: the notes in the docstrings.


def test_pytorchs_softplus_drops_its_tail_above_20():
    for value in (20.0, 20.000001, 25.0):
        input = torch.tensor(value, dtype=torch.float64)
        tail = math.log1p(math.exp(-value))
        assert losses.softplus(input).item() == pytest.approx(value + tail, rel=1e-15)
        dropped = losses.softplus(input) - F.softplus(input)
        assert dropped.item() == pytest.approx(tail if value > 20 else 0, abs=1e-14)
    assert 2.06e-9 < math.log1p(math.exp(-20)) < 2.07e-9


def test_pytorchs_soft_margin_loss_overflows():
    for dtype, logit in ((torch.float32, -89.0), (torch.float64, -710.0)):
        logit, target = torch.tensor(logit, dtype=dtype), torch.tensor(1.0, dtype=dtype)
        assert F.soft_margin_loss(logit, target) == math.inf
        assert losses.soft_margin_loss(logit, target) == -logit


def test_pytorchs_binary_cross_entropy_cancels_for_negative_logits():
    logit, target = torch.tensor(-40.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    value = losses.binary_cross_entropy_with_logits(logit, target)
    assert value.item() == pytest.approx(math.exp(-40), rel=1e-15, abs=0)
    assert losses.softplus(logit) == value
    assert F.binary_cross_entropy_with_logits(logit, target) == 0


def test_the_mean_of_weighted_targets_depends_on_their_kind():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    target, weight = torch.tensor([0, 2]), torch.tensor([0.5, 1.0, 4.0])
    one_hot = F.one_hot(target, 3).to(logits.dtype)
    for loss in (losses.cross_entropy, F.cross_entropy):
        by_index = loss(logits, target, weight=weight)
        by_probability = loss(logits, one_hot, weight=weight)
        torch.testing.assert_close(by_probability * 2, by_index * weight[target].sum())
        assert by_probability > 2 * by_index


@pytest.mark.parametrize("loss", [losses.nll_loss, losses.cross_entropy, losses.focal_loss])
@pytest.mark.parametrize("theirs", [False, True])
def test_the_mean_of_nothing_is_nan_with_a_gradient_of_zero(loss, theirs):
    if theirs:
        loss = {losses.nll_loss: F.nll_loss}.get(loss, F.cross_entropy)
    logits = torch.full((2, 3), -1.0, requires_grad=True)
    value = loss(logits, torch.tensor([-100, -100]))
    assert value.isnan()
    assert (torch.autograd.grad(value, logits)[0] == 0).all()
    assert loss(logits, torch.tensor([-100, -100]), reduction="sum") == 0
    assert loss(logits[:0], torch.tensor([], dtype=torch.int64)).isnan()


def test_the_mean_divergence_is_over_all_elements():
    log_q = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    p = torch.tensor([[0.5, 0.5], [0.9, 0.1]])
    true = (p * (p.log() - log_q)).sum(1).mean()
    torch.testing.assert_close(losses.kl_div(log_q, p, reduction="batchmean"), true)
    torch.testing.assert_close(losses.kl_div(log_q, p), true / 2)
    torch.testing.assert_close(their_kl_div(log_q, p, reduction="batchmean"), true)
    torch.testing.assert_close(their_kl_div(log_q, p), true / 2)
    assert losses.kl_div(log_q[:0], p[:0], reduction="batchmean").isnan()


def test_a_variance_below_eps_keeps_the_gradient_it_has_at_eps():
    one = torch.ones((), dtype=torch.float64)
    for loss in (losses.gaussian_nll_loss, F.gaussian_nll_loss):
        slopes = [
            gradient_of(
                lambda var: loss(one, 2 * one, var, eps=0.01),  # noqa: B023
                torch.tensor(var, dtype=torch.float64, requires_grad=True),
            ).item()
            for var in (0.01, 0.001, 0.0)
        ]
        assert slopes == pytest.approx([0.5 * (1 / 0.01 - 1 / 0.01**2)] * 3, rel=1e-14)


def test_a_vector_of_zeros_has_the_cosine_0():
    zero, other = torch.zeros(1, 3), torch.ones(1, 3)
    for loss in (losses.cosine_embedding_loss, F.cosine_embedding_loss):
        assert loss(zero, other, torch.tensor([1])) == 1
        assert loss(zero, zero, torch.tensor([1])) == 1
        # On the kink, where the cosine is the margin, the slope is that of the rising side.
        leaf = zero.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(leaf, other, torch.tensor([-1])), leaf)
        torch.testing.assert_close(gradient, torch.full((1, 3), 1e6 / 3**0.5))


def test_the_distance_in_a_triplet_depends_on_the_order():
    near, far = torch.tensor([[0.0]]), torch.tensor([[1.0]])
    near, far = near.double(), far.double()
    for loss in (losses.triplet_margin_loss, F.triplet_margin_loss):
        ahead, behind = (
            loss(near, far, near, margin=3, eps=0.1),
            loss(far, near, far, margin=3, eps=0.1),
        )
        assert (behind - ahead).item() == pytest.approx(0.2)


def test_a_triplet_on_its_kink_has_the_slope_of_the_rising_side():
    anchor, negative = torch.zeros(1, 1), torch.ones(1, 1, requires_grad=True)
    for loss in (losses.triplet_margin_loss, F.triplet_margin_loss):
        value = loss(anchor, anchor, negative, margin=1.0, eps=0.0)
        assert value == 0
        assert torch.autograd.grad(value, negative)[0] == -1


def test_the_margin_loss_of_an_empty_batch_is_nothing():
    scores, target = torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)
    assert losses.multi_margin_loss(scores, target).isnan()
    assert losses.multi_margin_loss(scores, target, reduction="sum") == 0
    assert losses.multi_margin_loss(scores, target, reduction="none").shape == (0,)


# Bad input.

X, Y = torch.zeros(4), torch.ones(4)
Z, CLASSES = torch.zeros(4, 3), torch.tensor([0, 1, 2, 0])
P = torch.full((4, 3), 1 / 3)
SIGNS = torch.tensor([1, -1, 1, -1])
PAIRS = {
    name: getattr(losses, name)
    for name in (
        "mse_loss",
        "l1_loss",
        "huber_loss",
        "smooth_l1_loss",
        "binary_cross_entropy_with_logits",
        "kl_div",
        "poisson_nll_loss",
    )
}
PAIRS["quantile_loss"] = lambda input, target, **options: losses.quantile_loss(
    input, target, quantile=0.5, **options
)
PAIRS["gaussian_nll_loss"] = lambda input, target, **options: losses.gaussian_nll_loss(
    input, target, 1.0, **options
)
SIGNED = {
    "hinge_embedding_loss": losses.hinge_embedding_loss,
    "soft_margin_loss": losses.soft_margin_loss,
}
CLASSIFIED = {
    name: getattr(losses, name)
    for name in ("nll_loss", "cross_entropy", "focal_loss", "multi_margin_loss")
}


def rows(*tables):
    table = {name: loss for table in tables for name, loss in table.items()}
    return pytest.mark.parametrize("loss", table.values(), ids=table)


@rows(PAIRS, SIGNED)
@pytest.mark.parametrize(
    ("shape", "other"), [((4, 1), (4,)), ((4,), (4, 1)), ((4,), ()), ((2, 3), (1, 3)), ((1,), (0,))]
)
def test_no_two_shapes_are_broadcast(loss, shape, other):
    with pytest.raises(ValueError, match="target must have shape") as error:
        loss(-torch.ones(shape), torch.ones(other))
    assert str(error.value) == f"target must have shape {shape}, got {other}"


@rows(PAIRS)
def test_a_target_of_another_dtype_is_refused(loss):
    for dtype in (torch.int64, torch.float64, torch.bool):
        with pytest.raises(ValueError, match=rf"target must have dtype torch.float32, got {dtype}"):
            loss(X, Y.to(dtype))


@rows(PAIRS, SIGNED, CLASSIFIED)
def test_an_input_that_is_not_floating_point_is_refused(loss):
    classified = loss in CLASSIFIED.values()
    input, target = (Z, CLASSES) if classified else (X, Y)
    for dtype in (torch.int64, torch.bool):
        with pytest.raises(ValueError, match=f"input must be floating point, got {dtype}"):
            loss(input.to(dtype), target)
    with pytest.raises(TypeError, match="input must be a tensor, got"):
        loss(input.tolist(), target)
    with pytest.raises(TypeError, match="target must be a tensor, got"):
        loss(input, target.tolist())


@rows(PAIRS, SIGNED, CLASSIFIED)
def test_an_unknown_reduction_is_refused(loss):
    classified = loss in CLASSIFIED.values()
    input, target = (Z, CLASSES) if classified else (X, Y)
    for reduction in ("average", "Mean", None):
        with pytest.raises(ValueError, match=r"reduction must be one of 'none', 'mean', 'sum'"):
            loss(input, target, reduction=reduction)


@rows(CLASSIFIED)
def test_targets_that_are_no_classes_are_refused(loss):
    for target, problem in [
        (torch.tensor([0, 1, 3, 0]), r"target must be in \[0, 2\], got 3$"),
        (torch.tensor([0, 1, -1, 0]), r"target must be in \[0, 2\], got -1$"),
        (CLASSES.int(), "target must have dtype torch.int64, got torch.int32"),
        (CLASSES.float(), "target must have dtype torch.int64, got torch.float32"),
        (CLASSES.bool(), "target must have dtype torch.int64, got torch.bool"),
        (CLASSES[:, None], r"target must have shape \(4,\), got \(4, 1\)"),
        (CLASSES[:3], r"target must have shape \(4,\), got \(3,\)"),
        (torch.tensor(0), r"target must have shape \(4,\), got \(\)"),
    ]:
        with pytest.raises(ValueError, match=problem):
            loss(Z, target)
    for input, shape in ((torch.tensor(0.0), r"\(\)"), (torch.zeros(4, 0), r"\(4, 0\)")):
        with pytest.raises(
            ValueError, match=f"input must have a dimension of classes, got shape {shape}"
        ):
            loss(input, CLASSES)


@rows(CLASSIFIED)
def test_weights_that_fit_no_class_are_refused(loss):
    for weight, problem in [
        (torch.ones(4), r"weight must have shape \(3,\), got \(4,\)"),
        (torch.ones(1), r"weight must have shape \(3,\), got \(1,\)"),
        (
            torch.ones(3, dtype=torch.float64),
            "weight must have dtype torch.float32, got torch.float64",
        ),
        (torch.tensor([1.0, 1.0, -1.0]), r"weight must be in \[0, inf\), got -1.0"),
        (torch.tensor([1.0, 1.0, math.nan]), r"weight must be in \[0, inf\), got nan"),
    ]:
        with pytest.raises(ValueError, match=problem):
            loss(Z, CLASSES, weight=weight)


OUT_OF_RANGE = [
    (losses.huber_loss, (X, Y), "delta", "(0, inf)", [0, -1.0, math.inf, math.nan]),
    (losses.smooth_l1_loss, (X, Y), "beta", "[0, inf)", [-1.0, math.inf, math.nan]),
    (losses.quantile_loss, (X, Y), "quantile", "(0, 1)", [0, 1, -0.5, math.nan]),
    (losses.cross_entropy, (Z, CLASSES), "label_smoothing", "[0, 1]", [-0.1, 1.1, math.nan]),
    (losses.focal_loss, (Z, CLASSES), "gamma", "[0, inf)", [-1.0, math.inf, math.nan]),
    (losses.poisson_nll_loss, (X, Y), "eps", "(0, inf)", [0.0, -1.0, math.nan]),
    (losses.gaussian_nll_loss, (X, Y, 1.0), "eps", "(0, inf)", [0.0, -1.0, math.nan]),
    (losses.hinge_embedding_loss, (X, SIGNS), "margin", "[0, inf)", [-1.0, math.inf, math.nan]),
    (losses.multi_margin_loss, (Z, CLASSES), "margin", "[0, inf)", [-1.0, math.inf, math.nan]),
    (losses.cosine_embedding_loss, (Z, Z, SIGNS), "margin", "[-1, 1]", [-1.5, 1.5, math.nan]),
    (losses.triplet_margin_loss, (Z, Z, Z), "margin", "(0, inf)", [0.0, -1.0, math.nan]),
    (losses.triplet_margin_loss, (Z, Z, Z), "p", "(0, inf)", [0.0, -1.0, math.inf]),
    (losses.triplet_margin_loss, (Z, Z, Z), "eps", "[0, inf)", [-1.0, math.nan]),
]


@pytest.mark.parametrize(
    ("loss", "args", "name", "interval", "values"),
    OUT_OF_RANGE,
    ids=[f"{loss.__name__}: {name}" for loss, _, name, _, _ in OUT_OF_RANGE],
)
def test_a_number_out_of_range_is_named_with_what_is_allowed(loss, args, name, interval, values):
    for value in values:
        with pytest.raises(ValueError, match=f"{name} must be in") as error:
            loss(*args, **{name: value})
        assert str(error.value) == f"{name} must be in {interval}, got {value}"
    with pytest.raises(TypeError, match=rf"{name} must be a number, got a tensor of shape \(4,\)"):
        loss(*args, **{name: torch.full((4,), 0.5)})
    with pytest.raises(TypeError, match=f"{name} must be a number in"):
        loss(*args, **{name: "0.5"})


REFUSED = {
    "binary target above 1": (
        lambda: losses.binary_cross_entropy_with_logits(X, 2 * Y),
        "target must be in [0, 1], got 2.0",
    ),
    "binary weight below 0": (
        lambda: losses.binary_cross_entropy_with_logits(X, Y, weight=-Y),
        "weight must be in [0, inf), got -1.0",
    ),
    "binary weight larger than the input": (
        lambda: losses.binary_cross_entropy_with_logits(X, Y, weight=torch.ones(2, 4)),
        "weight must have a shape that expands to (4,), got (2, 4)",
    ),
    "binary weight with a dimension more": (
        lambda: losses.binary_cross_entropy_with_logits(X, Y, weight=torch.ones(1, 4)),
        "weight must have a shape that expands to (4,), got (1, 4)",
    ),
    "binary weight that would expand the input": (
        lambda: losses.binary_cross_entropy_with_logits(X[:1], Y[:1], pos_weight=torch.ones(2)),
        "pos_weight must have a shape that expands to (1,), got (2,)",
    ),
    "binary weight of another dtype": (
        lambda: losses.binary_cross_entropy_with_logits(X, Y, pos_weight=Y.double()),
        "pos_weight must have dtype torch.float32, got torch.float64",
    ),
    "probabilities below 0": (
        lambda: losses.cross_entropy(Z, torch.tensor([[0.75, -0.5, 0.75]]).expand(4, 3)),
        "target must be in [0, 1], got -0.5",
    ),
    "probabilities that do not sum to 1": (
        lambda: losses.cross_entropy(Z, 1.5 * P),
        "target must sum to 1 over the classes, got a sum of 1.5",
    ),
    "probabilities that miss a sum of 1 by more than rounding": (
        lambda: losses.cross_entropy(Z, 1.001 * P),
        "target must sum to 1 over the classes, got a sum of 1.00",
    ),
    "log-probabilities above 0 by more than rounding": (
        lambda: losses.nll_loss(torch.full((4, 3), 1e-3), CLASSES),
        "input must hold log-probabilities, at most 0, got 0.001",
    ),
    "probabilities with the first class to ignore": (
        lambda: losses.cross_entropy(Z, P, ignore_index=0),
        "ignore_index must be negative for probabilities, got 0",
    ),
    "probabilities in another shape": (
        lambda: losses.cross_entropy(Z, P[:, :2]),
        "target must have shape (4, 3), got (4, 2)",
    ),
    "probabilities in another dtype": (
        lambda: losses.cross_entropy(Z, P.double()),
        "target must have dtype torch.float32, got torch.float64",
    ),
    "probabilities with one weight for all": (
        lambda: losses.cross_entropy(Z, P, weight=torch.ones(1)),
        "weight must have shape (3,), got (1,)",
    ),
    "probabilities with a class to ignore": (
        lambda: losses.cross_entropy(Z, P, ignore_index=1),
        "ignore_index must be negative for probabilities, got 1",
    ),
    "probabilities for log-probabilities, to nll_loss": (
        lambda: losses.nll_loss(P, CLASSES),
        f"input must hold log-probabilities, at most 0, got {P[0, 0].item()}",
    ),
    "probabilities for log-probabilities, to kl_div": (
        lambda: losses.kl_div(P, P),
        f"input must hold log-probabilities, at most 0, got {P[0, 0].item()}",
    ),
    "probabilities for a log_target": (
        lambda: losses.kl_div(P.log(), P, log_target=True),
        f"target must hold log-probabilities, at most 0, got {P[0, 0].item()}",
    ),
    "logarithms for a target": (
        lambda: losses.kl_div(P.log(), P.log()),
        f"target must be in [0, 1], got {P.log()[0, 0].item()}",
    ),
    "a divergence without a batch": (
        lambda: losses.kl_div(X[0], Y[0], reduction="batchmean"),
        "input must have a dimension for reduction 'batchmean', got shape ()",
    ),
    "a negative count": (
        lambda: losses.poisson_nll_loss(X, -Y),
        "target must be in [0, inf), got -1.0",
    ),
    "a negative rate": (
        lambda: losses.poisson_nll_loss(-Y, Y, log_input=False),
        "input must be in [0, inf), got -1.0",
    ),
    "a negative variance": (
        lambda: losses.gaussian_nll_loss(X, Y, -1.0),
        "var must be in [0, inf), got -1.0",
    ),
    "negative variances": (
        lambda: losses.gaussian_nll_loss(X, Y, -Y),
        "var must be in [0, inf), got -1.0",
    ),
    "variances of another shape": (
        lambda: losses.gaussian_nll_loss(Z, Z, torch.ones(3)),
        "var must have shape (4, 3), without its last dimension or with one of length 1, got (3,)",
    ),
    "one variance in a dimension of its own": (
        lambda: losses.gaussian_nll_loss(Z, Z, torch.ones(1)),
        "var must have shape (4, 3), without its last dimension or with one of length 1, got (1,)",
    ),
    "variances with two dimensions of length 1": (
        lambda: losses.gaussian_nll_loss(Z, Z, torch.ones(1, 1)),
        "var must have shape (4, 3), without its last dimension or with one of length 1, "
        "got (1, 1)",
    ),
    "variances of another dtype": (
        lambda: losses.gaussian_nll_loss(X, Y, Y.double()),
        "var must have dtype torch.float32, got torch.float64",
    ),
    "a sign of 0": (
        lambda: losses.hinge_embedding_loss(X, 0 * SIGNS),
        "target must be 1 or -1, got 0",
    ),
    "a sign that is not one": (
        lambda: losses.soft_margin_loss(X, 0.5 * Y),
        "target must be 1 or -1, got 0.5",
    ),
    "a third power": (
        lambda: losses.multi_margin_loss(Z, CLASSES, p=3),
        "p must be one of 1, 2, got 3",
    ),
    "scores of images": (
        lambda: losses.multi_margin_loss(Z[:, :, None], CLASSES[:, None]),
        "input must have shape (C,) or (N, C), got (4, 3, 1)",
    ),
    "a target for each component": (
        lambda: losses.cosine_embedding_loss(Z, Z, torch.ones(4, 3)),
        "target must have shape (4,), got (4, 3)",
    ),
    "vectors of two shapes": (
        lambda: losses.cosine_embedding_loss(Z, Z[:1], SIGNS),
        "input2 must have shape (4, 3), got (1, 3)",
    ),
    "vectors of two dtypes": (
        lambda: losses.cosine_embedding_loss(Z, Z.double(), SIGNS),
        "input2 must have dtype torch.float32, got torch.float64",
    ),
    "vectors in three dimensions": (
        lambda: losses.cosine_embedding_loss(Z[None], Z[None], SIGNS[None]),
        "input1 must have shape (D,) or (N, D), got (1, 4, 3)",
    ),
    "no components": (
        lambda: losses.triplet_margin_loss(X[0], X[0], X[0]),
        "anchor must have a dimension of components, got shape ()",
    ),
    "a positive of another shape": (
        lambda: losses.triplet_margin_loss(Z, Z[0], Z),
        "positive must have shape (4, 3), got (3,)",
    ),
    "a negative of another shape": (
        lambda: losses.triplet_margin_loss(Z, Z, Z[:1]),
        "negative must have shape (4, 3), got (1, 3)",
    ),
    "integers to softplus": (
        lambda: losses.softplus(CLASSES),
        "input must be floating point, got torch.int64",
    ),
    "integers to logsumexp": (
        lambda: losses.logsumexp(CLASSES, 0),
        "input must be floating point, got torch.int64",
    ),
    "a dimension that is not there": (
        lambda: losses.log_softmax(Z, 2),
        "dim must be a non-empty dimension of input, (4, 3), got 2",
    ),
    "a dimension before the first": (
        lambda: losses.log_softmax(Z, -3),
        "dim must be an integer of at least -2, got -3",
    ),
    "an empty dimension": (
        lambda: losses.logsumexp(Z[:0], 0),
        "dim must be a non-empty dimension of input, (0, 3), got 0",
    ),
}


@pytest.mark.parametrize(("call", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_bad_argument_is_named(call, problem):
    with pytest.raises(ValueError, match=" ") as error:
        call()
    assert str(error.value).startswith(problem)


REGRESSION = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"]
# At an infinite logit PyTorch gives NaN where the limit is a number, and these give the limit.
LOGITS = ["soft_margin_loss", "binary_cross_entropy_with_logits", "poisson_nll_loss"]


@pytest.mark.parametrize(
    ("name", "bad"),
    [(name, math.nan) for name in REGRESSION + LOGITS]
    + [(name, sign * math.inf) for name in REGRESSION for sign in (1, -1)],
)
def test_what_is_no_number_shows_in_value_and_gradient_as_in_pytorch(name, bad):
    target = torch.tensor([1.0, 1.0])
    results = []
    for home in (losses, torch.nn.functional):
        input = torch.tensor([bad, 0.5], requires_grad=True)
        value = getattr(home, name)(input, target, reduction="sum")
        results.append((value, *torch.autograd.grad(value, input)))
    torch.testing.assert_close(*results, equal_nan=True)
