"""The rules and the surfaces in the browser against those of the package."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from figures import served
from playwright.sync_api import Browser, Page
from torch import Tensor

from descent.optim import OPTIMIZERS
from descent.playground._description import description
from descent.playground._surfaces import SURFACES
from descent.tasks.problems import value_and_gradient

KAPPA, ANGLE, NOISE, SEED = 10.0, -20.0, 1.0, 3
DESCRIPTION = description()
# Where a step is taken: from nothing, and with averages that have seen something.
AFTER = (0, 1, 2, 9)
LENGTH, NUDGE = 200, 1e-12

# In the browser: runs, each of whose steps starts from the package's own state.
STEPS = """async (sent) => {
  const { RULES } = await import("./rules.js");
  const { SURFACES } = await import("./surfaces.js");
  const array = (value) => (Array.isArray(value) ? Float64Array.from(value) : value);
  const plain = (value) => (value instanceof Float64Array ? [...value] : value);
  const each = (object, f) => Object.fromEntries(Object.entries(object).map(([k, v]) => [k, f(v)]));
  const made = JSON.parse(sent).map(({ rule, surface, shape, options, cases }) => {
    const here = SURFACES[surface](shape);
    return cases.map(({ param, state, noise }) => {
      const grad = here.gradient(...param).map((value, k) => value + noise[k]);
      const [after, left] = RULES[rule](array(param), grad, each(state, array), options);
      const value = here.value(...param);
      return { value, grad: [...grad], param: [...after], state: each(left, plain) };
    });
  });
  return JSON.stringify(made);
}"""
PATHS = """async (sent) => {
  const { follow, normals } = await import("./run.js");
  const { SURFACES } = await import("./surfaces.js");
  const made = JSON.parse(sent).map((run) => {
    const { rule, surface, shape, options, start, length, noise } = run;
    const normal = normals(shape.seed);
    const added = () => noise * normal();
    const steps = follow(rule, SURFACES[surface](shape), start, options, length, added);
    return steps.map(({ param }) => [...param]);
  });
  return JSON.stringify(made);
}"""
NORMALS = """async ([seed, count]) => {
  const { normals } = await import("./run.js");
  const normal = normals(seed);
  return Array.from({ length: count }, () => normal());
}"""


@pytest.fixture(scope="module")
def modules(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that can load every module."""
    with served(tmp_path_factory.mktemp("modules")) as base:
        page = browser.new_page()
        page.goto(base + "empty.html")
        yield page
        page.close()


@pytest.fixture(scope="module")
def noise(modules: Page) -> list[list[float]]:
    """What the browser adds to the gradients, step by step."""
    drawn = modules.evaluate(NORMALS, [SEED, 2 * LENGTH])
    return [[NOISE * each for each in drawn[2 * t : 2 * t + 2]] for t in range(LENGTH)]


def settings(optimizer: str) -> dict[str, dict[str, Any]]:
    """Name the defaults, a rate that shows something, and each end of each range."""
    found: dict[str, dict[str, Any]] = {"defaults": {}, "lr=0.05": {"lr": 0.05}}
    for each in DESCRIPTION["optimizers"][optimizer]["hyperparameters"]:
        name, kind = each["name"], each["kind"]
        for value in (True,) if kind == "flag" else (each["first"], each["last"]):
            if kind == "numbers":
                for place in range(len(each["default"])):
                    both = list(each["default"])
                    both[place] = value
                    found[f"{name}[{place}]={value}"] = {"lr": 0.05, name: tuple(both)}
            elif name == "nesterov":
                found["nesterov"] = {"lr": 0.05, "momentum": 0.9, name: True}
            elif name == "dampening":
                found[f"{name}={value}"] = {"lr": 0.05, "momentum": 0.9, name: value}
            elif name == "centered":
                found["centered, momentum"] = {"lr": 0.05, name: True, "momentum": 0.9}
                found["centered"] = {"lr": 0.05, name: True}
            else:
                found[f"{name}={value}"] = {"lr": 0.05} | {name: value}
    return found


class Run:
    """All runs of one optimizer at once: every setting, on every surface, with and without a nudge.

    Rules move each number as it would move alone, so that the surfaces and the nudge are rows of
    one tensor, and the settings share the gradients.
    """

    def __init__(self, optimizer: str, noise: list[list[float]]) -> None:
        self.settings = settings(optimizer)
        self.options = [OPTIMIZERS[optimizer].complete(**each) for each in self.settings.values()]
        starts = [DESCRIPTION["surfaces"][name]["start"] for name in SURFACES]
        start = torch.tensor(starts, dtype=torch.float64)
        rows = torch.stack([start, start * (1 + NUDGE)], dim=1)  # surfaces, nudges, 2
        params, states = [rows.clone() for _ in self.options], [{} for _ in self.options]
        self.params, self.states = [params], [states]
        self.values, self.grads = [], []
        problems = [surface.problem(KAPPA, ANGLE) for surface in SURFACES.values()]
        for added in noise:
            at = torch.stack(params)  # settings, surfaces, nudges, 2
            pairs = [value_and_gradient(p.objective, at[:, k]) for k, p in enumerate(problems)]
            grad = torch.stack([pair[1] for pair in pairs], dim=1)
            grad[:, list(SURFACES).index("noisy bowl")] += torch.tensor(added, dtype=torch.float64)
            made = [
                OPTIMIZERS[optimizer].rule(param, each, state, **options)
                for param, each, state, options in zip(
                    params, grad, states, self.options, strict=True
                )
            ]
            params, states = [each[0] for each in made], [each[1] for each in made]
            self.values.append(torch.stack([pair[0] for pair in pairs], dim=1))
            self.grads.append(grad)
            self.params.append(params)
            self.states.append(states)

    def finite(self, setting: int, surface: int) -> list[int]:
        """From which of the steps looked at numbers lead to numbers."""
        return [
            t
            for t in AFTER
            if all(
                each.isfinite().all()
                for each in (
                    self.params[t + 1][setting][surface, 0],
                    self.values[t][setting, surface, 0],
                    *self.state(t + 1, setting, surface).values(),
                )
            )
        ]

    def state(self, t: int, setting: int, surface: int) -> dict[str, Tensor]:
        """What is remembered of one run."""
        found = self.states[t][setting]
        return {key: each[surface, 0] if each.ndim else each for key, each in found.items()}


@pytest.fixture(scope="module", params=OPTIMIZERS)
def run(request: pytest.FixtureRequest, noise: list[list[float]]) -> tuple[str, Run]:
    return request.param, Run(request.param, noise)


def evaluated(modules: Page, function: str, sent: Any) -> Any:
    """Call a function in the browser; as text, which passes faster than as objects."""
    return json.loads(modules.evaluate(function, json.dumps(sent)))


def apart(found: Any, expected: Tensor, scale: float = 0.0) -> float:
    """Return the largest difference relative to the largest number of the vector, or to a scale."""
    found = torch.as_tensor(found, dtype=torch.float64)
    expected = expected.double()
    size = max(float(expected.abs().max()), scale)
    return float((found - expected).abs().max()) / size if size else float(found.abs().max())


def shape_of(surface: str) -> dict[str, Any]:
    return {"surface": surface, "kappa": KAPPA, "angle": ANGLE, "noise": NOISE, "seed": SEED}


def test_the_browser_has_every_rule_and_every_surface(modules: Page) -> None:
    rules = modules.evaluate("async () => Object.keys((await import('./rules.js')).RULES)")
    assert rules == [each.__name__ for each in OPTIMIZERS.values()]
    surfaces = modules.evaluate("async () => Object.keys((await import('./surfaces.js')).SURFACES)")
    assert surfaces == list(SURFACES)


def test_a_step_is_that_of_the_package(
    modules: Page, noise: list[list[float]], run: tuple[str, Run], record_property: Any
) -> None:
    optimizer, run = run
    places = list(product(range(len(run.options)), enumerate(SURFACES)))
    sent = [
        {
            "rule": OPTIMIZERS[optimizer].__name__,
            "surface": surface,
            "shape": shape_of(surface),
            "options": run.options[setting],
            "cases": [
                {
                    "param": run.params[t][setting][k, 0].tolist(),
                    "noise": noise[t] if surface == "noisy bowl" else [0.0, 0.0],
                    "state": {key: each.tolist() for key, each in run.state(t, setting, k).items()},
                }
                for t in run.finite(setting, k)
            ],
        }
        for setting, (k, surface) in places
    ]
    worst = dict.fromkeys(SURFACES, 0.0)
    for made, (setting, (k, surface)) in zip(evaluated(modules, STEPS, sent), places, strict=True):
        assert made
        for found, t in zip(made, run.finite(setting, k), strict=True):
            before, after = (run.params[at][setting][k, 0] for at in (t, t + 1))
            left = run.state(t + 1, setting, k)
            assert found["state"].keys() == left.keys()
            differences = {
                "value": apart(found["value"], run.values[t][setting, k, 0]),
                "grad": apart(found["grad"], run.grads[t][setting, k, 0]),
                # A step may end near 0, and what was subtracted was rounded.
                "param": apart(found["param"], after, float(before.abs().max())),
                **{key: apart(found["state"][key], each) for key, each in left.items()},
            }
            name = list(run.settings)[setting]
            wrong = {key: each for key, each in differences.items() if not each <= 1e-12}
            assert not wrong, f"{surface}, {name}, step {t}: {wrong}"
            worst[surface] = max(worst[surface], *differences.values())
    record_property("worst", worst)


# The settings, by optimizer and surface, that make what differs at the start grow by a factor of
# 100,000 or more within 200 steps. Two machines, which round differently, need not agree on them.
CHAOTIC = {
    ("RMSprop", "turned ravine"): {"lr=3.0"},
    ("RMSprop", "bowl"): {"alpha=0.0"},
    ("RMSprop", "saddle"): {"alpha=0.0"},
    ("RMSprop", "Beale"): {"momentum=0.999"},
    ("Adam", "Beale"): {"betas[0]=0.0", "betas[1]=0.0"},
    ("Adam", "bowl"): {"betas[1]=0.0"},
    ("Adam", "turned ravine"): {"betas[1]=0.0"},
    ("Adam", "noisy bowl"): {"betas[1]=0.0"},
    ("Adam", "saddle"): {"betas[1]=0.0"},
    ("Adam", "Rosenbrock"): {"betas[1]=0.0"},
    ("AdamW", "Beale"): {"betas[0]=0.0", "betas[1]=0.0"},
    ("AdamW", "bowl"): {"betas[1]=0.0"},
    ("AdamW", "turned ravine"): {"betas[1]=0.0"},
    ("AdamW", "noisy bowl"): {"betas[1]=0.0"},
    ("AdamW", "saddle"): {"betas[1]=0.0"},
    ("AdamW", "Rosenbrock"): {"betas[1]=0.0"},
    ("NAdam", "Beale"): {
        "betas[0]=0.0",
        "betas[1]=0.0",
        "betas[1]=0.9999",
        "decoupled_weight_decay=True",
        "eps=1e-12",
        "lr=0.05",
        "momentum_decay=0.0",
        "weight_decay=0.0",
    },
    ("NAdam", "turned ravine"): {"betas[1]=0.0"},
    ("NAdam", "noisy bowl"): {"betas[1]=0.0"},
    ("NAdam", "Rosenbrock"): {"betas[1]=0.0"},
    ("Adamax", "bowl"): {"betas[1]=0.0"},
    ("Adamax", "turned ravine"): {"betas[1]=0.0"},
    ("Adamax", "noisy bowl"): {"betas[1]=0.0"},
    ("Adamax", "saddle"): {"betas[1]=0.0"},
    ("Adamax", "Rosenbrock"): {"betas[1]=0.0"},
    ("Adamax", "Beale"): {"betas[1]=0.0"},
}
GROWTH = 1e5


def test_a_path_is_that_of_the_package(
    modules: Page, run: tuple[str, Run], record_property: Any
) -> None:
    optimizer, run = run
    places = list(product(range(len(run.options)), enumerate(SURFACES)))
    sent = [
        {
            "rule": OPTIMIZERS[optimizer].__name__,
            "surface": surface,
            "shape": shape_of(surface),
            "options": run.options[setting],
            "noise": NOISE if surface == "noisy bowl" else 0.0,
            "start": run.params[0][setting][k, 0].tolist(),
            "length": LENGTH,
        }
        for setting, (k, surface) in places
    ]
    worst = dict.fromkeys(SURFACES, 0.0)
    for made, (setting, (k, surface)) in zip(evaluated(modules, PATHS, sent), places, strict=True):
        both = torch.stack([each[setting][k] for each in run.params[: len(made)]])
        want, nudged = both.unbind(1)
        sizes = want.abs().amax(-1).cummax(0).values
        gap = float(((torch.tensor(made, dtype=torch.float64) - want).abs().amax(-1) / sizes).max())
        grown = float(((nudged - want).abs().amax(-1) / sizes).max()) / NUDGE
        name = list(run.settings)[setting]
        if name in CHAOTIC.get((optimizer, surface), ()):
            assert grown >= GROWTH
        else:
            assert gap <= 1e-9, f"{surface}, {name}: {gap} after a growth of {grown:.0e}"
            worst[surface] = max(worst[surface], gap)
    record_property("worst", worst)
