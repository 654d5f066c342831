"""The programs of the chapter on Adam, run as they are printed."""

import math
import re
from itertools import pairwise

import pytest
import torch
from draws import normal
from printed import BOOK
from torch import nn
from torch.nn.functional import cross_entropy

from descent.chapters.adam import theory
from descent.press.pages import chapters_in_toc

PAGE = "".join((BOOK / f"{page}.md").read_text("utf-8") for page in chapters_in_toc()["adam"])
PROGRAMS = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)


def program(holding: str) -> str:
    (found,) = (each for each in PROGRAMS if holding in each)
    return found


def test_the_six_lines_are_adam():
    space = {}
    exec(program("def adam_step"), space)
    lines = program("def adam_step").splitlines()
    assert len(lines) == 1 + 6
    for options in ({}, {"lr": 0.3, "betas": (0.7, 0.4), "eps": 0.2}):
        theta = normal(5)
        param = theta.clone().requires_grad_()
        theirs = torch.optim.Adam([param], **options)
        given = {name: options[name] for name in ("lr", "eps") if name in options}
        given |= dict(zip(("beta1", "beta2"), options.get("betas", ()), strict=False))
        m, v = torch.zeros_like(theta), torch.zeros_like(theta)
        for t, g in enumerate(normal(50, 5, seed=1), start=1):
            theta, m, v = space["adam_step"](theta, g, m, v, t, **given)
            param.grad = g
            theirs.step()
            torch.testing.assert_close(theta, param.detach())


def trained(num_steps: int = 400) -> dict:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
    input = torch.randn(64, 8)
    target = input[:, :3].argmax(1)
    norms, rates = [], []

    def batches():
        for _ in range(num_steps):
            yield input, target
            # After the step, and before the next gradients are computed.
            grads = torch.cat([p.grad.flatten() for p in model.parameters()])
            norms.append(grads.norm().item())
            rates.append([group["lr"] for group in space["optimizer"].param_groups])

    def loss_fn(output, target):
        return 100 * cross_entropy(output, target)  # so that the clip has work

    space = {"model": model, "loss_fn": loss_fn, "batches": batches(), "num_steps": num_steps}
    first = loss_fn(model(input), target).item()
    exec(program("AdamW"), space)
    last = loss_fn(model(input), target).item()
    return space | {"norms": norms, "rates": rates, "first": first, "last": last}


def test_the_recipe_trains_with_groups_a_warmup_a_decay_and_a_clip():
    run = trained()
    assert run["last"] < 0.5 * run["first"]
    shapes = [[p.ndim for p in group["params"]] for group in run["optimizer"].param_groups]
    assert shapes == [[2, 2], [1, 1, 1, 1]]
    assert [group["weight_decay"] for group in run["optimizer"].param_groups] == [0.1, 0.0]
    assert max(run["norms"]) == pytest.approx(1.0, rel=1e-3)
    parts = [run["part_of_the_rate"](step) for step in range(401)]
    assert parts[:20] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert parts[-1] == pytest.approx(0.1)
    assert all(later <= earlier for earlier, later in pairwise(parts[20:]))
    for step, rates in enumerate(run["rates"], start=1):
        assert rates == pytest.approx([1e-3 * parts[step]] * 2)


def test_sparse_adam_counts_the_steps_of_absent_rows():
    words = nn.Embedding(2, 1, sparse=True, dtype=torch.float64)
    nn.init.zeros_(words.weight)
    optimizer = torch.optim.SparseAdam(words.parameters(), lr=1.0)
    for word in [0] * 500 + [1]:
        optimizer.zero_grad()
        words(torch.tensor([word])).sum().backward()
        optimizer.step()
    first_step = -words.weight[1].item()
    assert first_step == pytest.approx(theory.adam_burst_step(0.9, 0.999, 500))


def test_a_fused_step_in_float16_forgets_all_squares_but_the_last():
    theta = torch.zeros(1, dtype=torch.float16, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=1e-3, fused=True)
    for _ in range(1000):
        theta.data.zero_()
        theta.grad = torch.full_like(theta, 1e-3)
        optimizer.step()
        if optimizer.state[theta]["step"] == 1:
            assert theta.item() == pytest.approx(-1e-3, rel=1e-3)
    assert optimizer.state[theta]["exp_avg_sq"] == 0
    assert theta.item() / -1e-3 == pytest.approx(25, abs=0.5)
    assert "the 1000th step is 25 times too long" in PAGE


def row_of(beginning: str) -> list[str]:
    (line,) = (each for each in PAGE.splitlines() if each.startswith(f"| {beginning}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    "beginning", ["digits", "convolutional GAN", "translation", "BERT {", "BERT, fine", "GPT-3"]
)
def test_the_longest_step_of_each_row(beginning):
    _, _, betas, longest, _ = row_of(beginning)
    beta1, beta2 = (float(each) for each in betas.strip("()").split(","))
    assert longest == rf"${theory.adam_max_step(beta1, beta2):.2f}\,\eta$"


@pytest.mark.parametrize(
    ("name", "optimizer", "options"),
    [
        ("SGD", torch.optim.SGD, {"momentum": 0.9}),
        ("Adagrad", torch.optim.Adagrad, {}),
        ("RMSprop", torch.optim.RMSprop, {}),
        ("Adam", torch.optim.Adam, {}),
        ("AMSGrad", torch.optim.Adam, {"amsgrad": True}),
        ("AdamW", torch.optim.AdamW, {}),
        ("NAdam", torch.optim.NAdam, {}),
        ("RAdam", torch.optim.RAdam, {}),
        ("Adamax", torch.optim.Adamax, {}),
    ],
)
def test_the_rate_and_the_state_of_each_rule(name, optimizer, options):
    _, state, _, _, rate, _ = row_of(f"{name} |")
    theta = torch.ones(3, requires_grad=True)
    by_torch = optimizer([theta], **options)
    theta.grad = torch.ones(3)
    by_torch.step()
    kept = [value for value in by_torch.state[theta].values() if value.shape == theta.shape]
    (group,) = by_torch.param_groups
    assert group["lr"] == float(rate)
    assert len(kept) == int(re.search(r": (\d)", state)[1])
    assert group.get("betas", (0.9, 0.999)) == (0.9, 0.999)
    assert group.get("eps", 1e-8) == (1e-10 if name == "Adagrad" else 1e-8)
    assert group["weight_decay"] == (1e-2 if name == "AdamW" else 0)


def rates_of(beginning: str) -> list[float]:
    return [float(rate) for rate in row_of(beginning)[1].split(" to ")]


def test_the_smallest_rates_are_those_of_a_trained_model_that_is_adjusted():
    others = [rates_of(row) for row in ("convolutional GAN", "translation", "BERT {", "GPT-3")]
    assert max(rates_of("BERT, fine")) < min(rate for rates in others for rate in rates)
    largest, smallest = rates_of("GPT-3")
    assert largest > smallest


@pytest.mark.parametrize(
    ("lr", "weight_decay", "size", "time"),
    [
        (0.02, 0.2, 1.0, 1.0),
        (0.01, 0.2, 0.5**0.5, 2.0),
        (0.01, 0.4, 0.5, 1.0),
        (0.01, 0.1, 1.0, 4.0),
    ],
)
def test_what_a_halved_rate_does_to_weights_that_decay(lr, weight_decay, size, time):
    """Against the first case: what is kept with the product, and what with the ratio."""
    theta = torch.ones(2, 1000, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([theta], lr=lr, weight_decay=weight_decay)
    steps = round(1 / (lr * weight_decay))
    squares = []
    for step in range(1, 12 * steps + 1):
        noise = normal(1000, seed=step)
        theta.grad = torch.stack([noise, -noise])  # so that the mean is the expectation's
        optimizer.step()
        if step == steps:
            left = theta.detach().mean().item()
        if step > 4 * steps:
            squares.append(theta.detach().square().mean())
    assert steps == round(250 * time)
    assert left == pytest.approx(math.exp(-1), rel=0.02)
    found = torch.stack(squares).mean().sqrt().item()
    assert found == pytest.approx(size * math.sqrt(0.02 / 0.4), rel=0.06)


def test_numbers_of_the_prose():
    assert f"{1 / math.sqrt(512 * 4000):.0e}" == "7e-04"  # the translation model's peak
    assert pytest.approx(10_000) == 1 / (1e-3 * 0.1)
    assert f"{math.sqrt(2**-25 / 0.001):.4f}" == "0.0055"
    assert "here 10 000" in PAGE
    assert "which is 0.0055 with the default" in PAGE
    assert f"$D = {theory.reddi_drift(3.0, 0.1):.2f}\\,\\eta$" in PAGE
