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

PAGE = (BOOK / "adam.md").read_text(encoding="utf-8")
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


def test_numbers_of_the_prose():
    assert f"{1 / math.sqrt(512 * 4000):.0e}" == "7e-04"  # the translation model's peak
    assert pytest.approx(10_000) == 1 / (1e-3 * 0.1)
    assert f"{math.sqrt(2**-25 / 0.001):.4f}" == "0.0055"
    assert "here 10 000" in PAGE
    assert "which is 0.0055 with the default" in PAGE
    assert f"$D = {theory.reddi_drift(3.0, 0.1):.2f}\\,\\eta$" in PAGE
