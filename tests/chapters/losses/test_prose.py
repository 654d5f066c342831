"""The chapter on losses: the numbers of its examples, computed and looked for on the page."""

import math
import re

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.stats import norm
from torch.nn import functional

from descent.press.pages import ROOT, chapters_in_toc

PAGES = [(ROOT / f"book/{page}.md").read_text("utf-8") for page in chapters_in_toc()["losses"]]
PAGE = " ".join(" ".join(PAGES).split())


def test_the_two_models_of_one_target():
    for centre, name in ((2.5, "A"), (1.0, "B")):
        density = norm.pdf(3, centre, 1)
        assert f"$-\\ln {density:.3f} = {-math.log(density):.2f}$ for {name}" in PAGE
        assert f"Its density at 3 is {density:.3f}" in PAGE


def test_the_mean_of_three_targets():
    y = np.array([1.0, 2.0, 6.0])
    for c in (3, 2):
        assert f"{np.mean((c - y) ** 2):.2f}$" in PAGE
    assert np.mean((2 - y) ** 2) - np.mean((3 - y) ** 2) == (3 - 2) ** 2


def test_the_probabilities_of_three_logits():
    logits = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)
    p = logits.softmax(0)
    assert "become {:.3f}, {:.3f} and {:.3f}".format(*p.tolist()) in PAGE
    loss = functional.cross_entropy(logits, torch.tensor(1))
    assert f"$-\\ln {p[1]:.3f} = {loss:.2f}$" in PAGE
    grad = p - functional.one_hot(torch.tensor(1), 3)
    assert "it is {:.3f}, ${:.3f}$ and {:.3f}:".format(*grad.tolist()) in PAGE


def test_the_first_loss_and_the_floor():
    assert f"For ten classes that is {math.log(10):.3f}" in PAGE
    frequencies = np.array([0.9, 0.1])
    entropy = -(frequencies * np.log(frequencies)).sum()
    assert f"at {entropy:.3f} in place of {math.log(2):.3f}" in PAGE
    assert f"$\\ln(e + 9) - 1 = {math.log(math.e + 9) - 1:.2f}$" in PAGE


def test_the_cross_entropies_of_a_blurred_digit():
    q = np.array([0.7, 0.3])
    costs = [-(q * np.log(p)).sum() for p in ([0.7, 0.3], [0.9, 0.1], [0.5, 0.5])]
    assert "it is {:.3f}. Say 0.9 and 0.1, and it is {:.3f};".format(*costs) in PAGE
    assert f"say 0.5 and 0.5, and it is {costs[2]:.3f}." in PAGE
    assert min(costs) == costs[0]


def test_the_naive_form_at_16_and_17():
    def naive(z):
        z = torch.tensor(z, dtype=torch.float32)
        return float(-(1 - 1 / (1 + (-z).exp())).log())

    assert f"{naive(16.0):.2g}" == "16"
    assert naive(17.0) == math.inf


def test_the_smoothed_target_and_the_focal_gradient():
    assert "the right class gets 0.91 and each other 0.01" in PAGE
    assert f"$\\ln 91 = {math.log(0.91 / 0.01):.2f}$" in PAGE
    p = 0.9
    focal = (1 - p) ** 2 * (2 * p * math.log(p) + p - 1)
    assert f"it is {(p - 1) / focal:.0f} times smaller" in PAGE


def test_where_the_hinge_loss_wants_more_than_one_point():
    assert r"\ell = \max(0, 1 - yz)." in PAGE
    assert "In three cases it is not one point: at $q = \\frac12$ every $z$ between $-1$" in PAGE
    assert "where the label is certain, every $z$ beyond the margin" in PAGE
    z = torch.linspace(-3, 3, 601, dtype=torch.float64)
    least = {}
    for q in (0.0, 0.01, 0.49, 0.5, 0.51, 0.99, 1.0):
        cost = q * (1 - z).relu() + (1 - q) * (1 + z).relu()
        where = z[cost < cost.min() + 1e-9]
        least[q] = (round(where.min().item(), 6), round(where.max().item(), 6))
    points = {0.01: -1.0, 0.49: -1.0, 0.51: 1.0, 0.99: 1.0}
    ranges = {0.0: (-3.0, -1.0), 0.5: (-1.0, 1.0), 1.0: (1.0, 3.0)}
    assert least == ranges | {q: (point, point) for q, point in points.items()}


def test_the_tie_of_the_multi_margin_loss():
    q, tie = np.array([0.45, 0.40, 0.15]), np.array([1 / 3, 1 / 3, -2 / 3])
    assert "the best logits are $\\frac13, \\frac13, -\\frac23$, a tie" in PAGE
    # A linear program: the logits, and a variable above each of the six hinges.
    pairs = [(y, j) for y in range(3) for j in range(3) if j != y]
    hinges = np.zeros((6, 9))
    for row, (y, j) in enumerate(pairs):
        hinges[row, [y, j, 3 + row]] = -1, 1, -1
    prices = np.array([0, 0, 0, *(q[y] / 3 for y, _ in pairs)])
    bounds = [(None, None)] * 3 + [(0, None)] * 6
    least = linprog(prices, hinges, -np.ones(6), bounds=bounds).fun
    at_tie = sum(q[y] / 3 * max(0, 1 - tie[y] + tie[j]) for y, j in pairs)
    np.testing.assert_allclose(at_tie, least)


def test_as_many_losses_lack_a_likelihood_as_the_summary_says():
    page = (ROOT / "book/losses.md").read_text("utf-8")
    table = page[page.index("## One page of losses") : page.index("## Symbols")]
    rows = [row.split(" | ") for row in re.findall(r"(?m)^\| (.+) \|$", table)][1:]
    assert len(rows) == 17
    assert sum(row[1] == "none" for row in rows) == 5
    assert "Five losses of the table have no likelihood" in PAGE


def test_the_distributions_of_the_recipe_are_called_as_its_table_says():
    z = torch.tensor(0.3, dtype=torch.float64)
    mean = var = scale = z.exp()
    given = {"z": z, "mean": mean, "var": var, "centre": z, "scale": scale}
    y, one = torch.tensor([2.0, 1.0], dtype=torch.float64)
    right = {
        "Normal": ((mean - y) ** 2 / var + (2 * math.pi * var).log()) / 2,
        "Laplace": (z - y).abs() / scale + (2 * scale).log(),
        "Exponential": z + y * (-z).exp(),
        "Poisson": z.exp() - y * z + math.log(2),
        "Bernoulli": functional.softplus(z) - z,
        "Categorical": math.log(3) * one,
    }
    rows = re.findall(r"\| `((\w+)\(.*?\))` \|\n", (ROOT / "book/losses.md").read_text("utf-8"))
    assert [name for _, name in rows] == list(right)
    for call, name in rows:
        values = given | {"z": z.expand(3)} if name == "Categorical" else given
        distribution = eval(call, vars(torch.distributions) | values)
        outcome = one if name in ("Bernoulli", "Categorical") else y
        torch.testing.assert_close(-distribution.log_prob(outcome), right[name])


def test_one_surprising_sample_through_exp_and_through_softplus():
    found = {}
    for name, positive, back in (
        ("exp", torch.exp, math.log),
        ("softplus", functional.softplus, lambda v: math.log(math.expm1(v))),
    ):
        z = torch.tensor([back(0.01)], dtype=torch.float64, requires_grad=True)
        nll = functional.gaussian_nll_loss(torch.tensor([10.0]), torch.zeros(1), positive(z))
        (grad,) = torch.autograd.grad(nll, z)
        found[name] = positive(z - 0.1 * grad).item()
    assert f"about {found['softplus']:.0f} under softplus" in PAGE
    assert f"under exp about $10^{{{math.log10(found['exp']):.0f}}}$" in PAGE
    assert torch.tensor(found["exp"], dtype=torch.float32).isinf()


def test_a_softmax_over_labels_of_which_several_may_be_present():
    present = torch.tensor([0.9, 0.8, 0.1], dtype=torch.float64)
    labels = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    chance = torch.where(labels == 1, present, 1 - present).prod(1)

    def slope(p):
        z = p.log().requires_grad_()
        each = functional.cross_entropy(z.expand(8, 3), labels, reduction="none")
        return torch.autograd.grad(chance @ each, z)[0]

    scaled = present / present.sum()
    torch.testing.assert_close(slope(scaled), torch.zeros_like(scaled))
    assert slope(torch.full_like(scaled, 1 / 3)).abs().min() > 0.1


def test_the_reverse_divergence_covers_two_humps_closer_than_2_8():
    x = np.linspace(-20, 20, 4001)

    def divergence(centre, deviation, distance):
        q = (norm.pdf(x, -distance) + norm.pdf(x, distance)) / 2
        p = norm.pdf(x, centre, deviation)
        return np.trapezoid(p * (norm.logpdf(x, centre, deviation) - np.log(q)), x)

    def covering_is_cheaper(distance):
        covers = min(divergence(0, s, distance) for s in np.linspace(0.8, 3.5, 136))
        places = np.linspace(distance - 0.15, distance + 0.05, 21)
        picks = min(divergence(c, s, distance) for c in places for s in np.linspace(0.95, 1.15, 21))
        return covers < picks

    assert "about $D = 2.8s$" in PAGE
    assert covering_is_cheaper(2.75)
    assert not covering_is_cheaper(2.85)
