// Compose a schedule, against the best rates there are, and take it away as a line of Python.

import { button, handle, select, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { digits, factList, html, powerOfTen, setAttributes, setText, svg, swatch } from "./elements.js";
import { checkedNumbers, refuse } from "./link.js";
import { mount } from "./mount.js";
import { key, plot, setPath } from "./plot.js";
import { questionBlock } from "./question.js";
import { asDescent, asTorch, ratesOf } from "./schedules.js";
import { shell } from "./shell.js";
import { bestRates, expectedLosses } from "./theory.js";

const FIGURE = "schedule";
const RANGES = DESCRIPTION.figures[FIGURE];
const STEPS = RANGES.decay_start.high;
const { curvatures: CURVATURES } = DESCRIPTION;
const TOP = RANGES.lr.high;
const [LOW, HIGH] = [-2.5, 1]; // decades of the expected loss
const AXIS = [[0, "0"], [STEPS, `${STEPS} steps`]];

const sum = (rates) => rates.reduce((total, each) => total + each, 0);

function check(raw) {
  const found = checkedNumbers(FIGURE, raw);
  if (found.decay_start < found.warmup_steps) refuse("the rate falls before its peak");
  return found;
}

function build(root, host, initial) {
  const guess = { times: 1.2 };
  let [ours, best] = [{}, { noise: null }];
  const figure = shell({
    root, host, initial, draw,
    figure: FIGURE,
    title: "a schedule to be composed",
    summary: () => `The schedule ends at an expected loss of ${digits(ours.losses.at(-1))}.`,
  });
  const state = figure.state;

  // The way down cannot begin before the peak: each takes the other with it.
  function change(changes) {
    const next = { ...state(), ...changes };
    if (next.decay_start < next.warmup_steps) {
      if ("decay_start" in changes) next.warmup_steps = next.decay_start;
      else next.decay_start = next.warmup_steps;
    }
    figure.change(next);
  }

  const made = svg("path", { class: "path" });
  const known = svg("path", { class: "expected" });
  const rates = plot({
    title: "Rate at each step",
    label: "The rate at each step; three points on it can be moved",
    height: 240,
    children: [known, made],
  });
  const point = (options) => {
    const found = handle({ extent: rates.extent, frame: rates.frame, ...options });
    rates.frame.append(found.element);
    return found;
  };
  const rounded = (value) => Number(value.toPrecision(3));
  const points = [
    point({
      label: "Peak",
      name: "peak",
      window: () => [[0, RANGES.warmup_steps.high], [RANGES.lr.low, TOP]],
      get: () => [state().warmup_steps, state().lr],
      set: ([x, y]) => change({ warmup_steps: Math.round(x), lr: rounded(y) }),
      says: (x, y) => `${digits(y)} after a warmup of ${x} steps`,
      strides: () => [5, 0.005],
    }),
    point({
      label: "Begin of the way down",
      name: "turn",
      window: () => [[0, STEPS], [state().lr, state().lr]],
      get: () => [state().decay_start, state().lr],
      set: ([x]) => change({ decay_start: Math.round(x) }),
      says: (x) => `step ${x}`,
      strides: () => [5, 0],
    }),
    point({
      label: "End",
      name: "end",
      window: () => [[STEPS, STEPS], [0, state().lr]],
      get: () => [STEPS, state().end_factor * state().lr],
      set([, y]) {
        const { low, high } = RANGES.end_factor;
        change({ end_factor: rounded(Math.min(Math.max(y / state().lr, low), high)) });
      },
      says: (_, y) => digits(y),
      strides: () => [0, state().lr / 50],
    }),
  ];

  const loss = svg("path", { class: "path" });
  const least = svg("path", { class: "expected" });
  const losses = plot({
    title: "Expected loss",
    label: "The expected loss after each step, logarithmic",
    width: 320,
    height: 190,
    children: [least, loss],
  });
  const facts = factList();
  const ownKey = html("span");

  function drawRates() {
    const { shape, noise } = state();
    ours.rates = ratesOf(state(), STEPS);
    Object.assign(ours, expectedLosses(ours.rates, CURVATURES, noise ** 2));
    if (asked.answered() && best.noise !== noise) {
      const found = bestRates(CURVATURES, noise ** 2, STEPS);
      best = { noise, rates: found, ...expectedLosses(found, CURVATURES, noise ** 2) };
    }
    const { color } = DESCRIPTION.schedules[shape];
    setAttributes(made, { stroke: color });
    setAttributes(loss, { stroke: color });
    if (ownKey.dataset.shape !== shape) {
      ownKey.dataset.shape = shape;
      ownKey.replaceChildren(swatch(color, []), " yours");
    }
    const marks = [0, 0.1, 0.2, 0.3, 0.4, 0.5].filter((each) => each <= TOP);
    rates.scale([0, STEPS], [0, TOP], { across: AXIS, up: marks.map((each) => [each, digits(each)]) });
    setPath(made, rates.line(ours.rates));
    setPath(known, asked.answered() ? rates.line(best.rates) : "");
    const decades = [-2, -1, 0, 1];
    losses.scale([0, STEPS], [LOW, HIGH], { across: AXIS, up: decades.map((each) => [each, powerOfTen(each)]) });
    setPath(loss, losses.line(ours.losses.map(Math.log10)));
    setPath(least, asked.answered() ? losses.line(best.losses.map(Math.log10)) : "");
  }

  function drawFacts() {
    const told = (value) => (asked.answered() ? digits(value()) : "·");
    const last = ours.losses.at(-1);
    facts.draw([
      ["Distance walked, Σηₜ", digits(sum(ours.rates))],
      ["by the best rates", told(() => sum(best.rates))],
      ["Loss left of the start", told(() => ours.start)],
      ["by the best rates", told(() => best.start)],
      ["Loss left of the noise", told(() => last - ours.start)],
      ["by the best rates", told(() => best.losses.at(-1) - best.start)],
      ["Both, over the least", told(() => last / best.losses.at(-1))],
    ]);
  }

  const asked = questionBlock({
    guessing: slider({
      label: "My guess: times the least",
      name: "guess",
      range: { scale: "log", first: 1, last: 100 },
      get: () => guess.times,
      set(value) {
        guess.times = value;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on learning-rate decay",
    onAnswer: figure.redraw,
    answer(guessed) {
      const [last, possible] = [ours.losses.at(-1), best.losses.at(-1)];
      const told = guessed ? ` You guessed ${digits(guess.times)}.` : "";
      return `${digits(last / possible)} times: ${digits(last)} against ${digits(possible)}, by rates that know every curvature.${told} How near can you come?`;
    },
  });

  // What is taken away
  const lines = { torch: asTorch, descent: asDescent };
  const copied = html("span", { class: "copied", role: "status" });
  const codes = Object.entries(lines).map(([name, make]) => {
    const code = html("code", { "data-line": name });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(make(state(), STEPS));
        setText(copied, "Copied.");
      } catch {
        setText(copied, "Nothing was copied; the line can be selected.");
      }
    };
    const label = name === "torch" ? "Copy PyTorch’s line" : "Copy the book’s line";
    const show = () => setText(code, make(state(), STEPS));
    return { show, element: html("div", { class: "line" }, html("pre", { tabindex: 0, "aria-label": label.slice(5) }, code), button(label, `copy-${name}`, copy)) };
  });

  const levers = [
    figure.number("lr", "Peak η", undefined, change),
    figure.number("warmup_steps", "Warmup", (value) => `${value} steps`, change),
    figure.number("decay_start", "Falls from", (value) => `step ${value}`, change),
    figure.number("end_factor", "End / peak", undefined, change),
    figure.number("noise", "Noise σ"),
  ];
  const shapes = select({
    label: "Way down",
    name: "shape",
    choices: RANGES.shape.choices,
    get: () => state().shape,
    set: (shape) => change({ shape }),
  });

  function draw() {
    drawRates();
    drawFacts();
    for (const { show } of [...points, ...levers, shapes, ...codes]) show();
    asked.draw("How many times the least possible loss does this schedule leave?");
  }

  return figure.show(
    asked.element,
    html(
      "div",
      { class: "stage" },
      html("div", { class: "side" }, rates.element, key(["", ownKey], [html("span", { class: "dashed" }), "the best there are"])),
      html("div", { class: "side" }, losses.element, facts.element),
    ),
    html("div", { class: "ground wide" }, shapes.element, ...levers.map(({ element }) => element)),
    html("div", { class: "lines" }, ...codes.map(({ element }) => element), copied),
  );
}

mount(FIGURE, check, build);
