// Adam under a microscope: gradients that the reader paints, and what Adam makes of them.

import { button, handle, select, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { dashes, digits, factList, html, setText, svg, swatch } from "./elements.js";
import { checkedNumbers, checkedRow, checkedStep } from "./link.js";
import { mount } from "./mount.js";
import { key, plot, setPath } from "./plot.js";
import { questionBlock } from "./question.js";
import { RULES } from "./rules.js";
import { shell } from "./shell.js";
import { adamBurstStep, adamMaxStep, adamUncorrectedStep } from "./theory.js";

const FIGURE = "microscope";
const RANGES = DESCRIPTION.figures[FIGURE];
const PRESETS = Object.entries(DESCRIPTION.gradients);
const LENGTH = PRESETS[0][1].values.length;
const PAINTED = { low: -1, high: 1, low_included: true, high_included: true };
const TOPS = [1.2, 2, 4, 8, 16, 40]; // that the axis of the steps may have
const { Adam: ADAM, SGD, RMSprop: RMSPROP } = DESCRIPTION.optimizers;
const UNCORRECTED = [1, 1];
const AXIS = [[1, "1"], [LENGTH / 2, String(LENGTH / 2)], [LENGTH, String(LENGTH)]];

const defaults = (optimizer) =>
  Object.fromEntries(DESCRIPTION.optimizers[optimizer].hyperparameters.map((each) => [each.name, each.default]));

const still = (before, after) =>
  Object.keys(after).every((name) => name === "step" || String(before[name]) === String(after[name]));

// What so many gradients of 0 leave. Once one changes nothing but the count, none that follows does.
export function silent(rule, options, count) {
  const nothing = new Float64Array(1);
  let state = {};
  for (let step = 0; step < count; step += 1) {
    const [, next] = RULES[rule](nothing, nothing, state, options);
    if (still(state, next)) return "step" in next ? { ...next, step: count } : next;
    state = next;
  }
  return state;
}

// The steps over the rate, each taken from 0, and what is remembered after it.
export function traced(rule, options, { silence, gradients }) {
  const origin = new Float64Array(1);
  let state = silent(rule, options, silence);
  return gradients.map((gradient) => {
    const [param, next] = RULES[rule](origin, Float64Array.of(gradient), state, { ...options, lr: 1 });
    state = next;
    return { step: -param[0], state };
  });
}

// Adam's averages, and the step that it would take without their corrections.
export function magnified({ beta1, beta2, ...given }) {
  const options = { ...defaults("Adam"), betas: [beta1, beta2] };
  return traced("Adam", options, given).map(({ step, state }) => {
    const [[m], [v]] = [state.exp_avg, state.exp_avg_sq];
    const [mass1, mass2] = [1 - beta1 ** state.step, 1 - beta2 ** state.step];
    const root = Math.sqrt(v);
    return { step, m, root, mass1, mass2, mean: m / mass1, size: Math.sqrt(v / mass2), plain: m / (root + options.eps) };
  });
}

function check(raw) {
  return {
    gradients: checkedRow("the gradients", raw.gradients ?? PRESETS[0][1].values, LENGTH, PAINTED),
    ...checkedNumbers(FIGURE, raw),
    at: checkedStep(raw.at, LENGTH, 1),
  };
}

function build(root, host, initial) {
  const guess = { longest: 1 };
  let seen = { adam: [], other: [] };
  const figure = shell({
    root, host, initial, draw,
    figure: FIGURE,
    title: "Adam under a microscope",
    summary() {
      const longest = Math.max(...seen.adam.map(({ step }) => Math.abs(step)));
      return `Adam's longest step here is ${digits(longest)} times the rate.`;
    },
  });
  const state = figure.state;

  // Painting: a brush that is dragged, or put down anywhere; or moved by the arrows, left and right to
  // another gradient, up and down to another value of it.
  const bars = svg("path", { class: "bars" });
  const painted = plot({
    title: "Gradients, to be painted",
    label: "The gradients, one bar for each",
    height: 130,
    children: [bars],
  });
  const brush = handle({
    label: "Brush",
    name: "brush",
    window: () => [[1, LENGTH], [-1, 1]],
    extent: painted.extent,
    frame: painted.frame,
    get: () => [state().at, state().gradients[state().at - 1]],
    set: ([x, y]) => paint(Math.round(x), Number(y.toFixed(2))),
    says: (x, y) => `gradient ${x} is ${digits(y)}`,
    strides: () => [1, 0.05],
    push([along, up]) {
      const { at, gradients } = state();
      if (along) return figure.change({ at: Math.min(Math.max(at + along, 1), LENGTH) });
      return paint(at, Number(Math.min(Math.max(gradients[at - 1] + up, -1), 1).toFixed(2)));
    },
  });
  painted.frame.append(brush.element);
  painted.frame.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".handle")) return;
    const [x, y] = brush.under(event);
    brush.take(event);
    figure.change({ at: Math.round(x) });
    paint(Math.round(x), Number(y.toFixed(2)));
  });
  // All between where the brush was and where it is.
  function paint(at, value) {
    const from = state().at;
    const crossed = (index) => index === at || (index - from) * (index - at) < 0;
    figure.change({ at, gradients: state().gradients.map((old, k) => (crossed(k + 1) ? value : old)) });
  }
  const presets = PRESETS.map(([name, { silence, values }], k) =>
    button(name, `preset-${k}`, () => figure.change({ gradients: [...values], silence })),
  );

  // The averages and the steps
  const line = (color, dash) =>
    svg("path", { class: "path", stroke: color, "stroke-dasharray": dashes(dash) });
  const averages = {
    m: line(SGD.color, UNCORRECTED),
    root: line(RMSPROP.color, UNCORRECTED),
    mean: line(SGD.color, []),
    size: line(RMSPROP.color, []),
  };
  const steps = { plain: line(ADAM.color, UNCORRECTED), other: svg("path", { class: "path" }), adam: line(ADAM.color, ADAM.dash) };
  const bounds = Array.from({ length: 3 }, () => [svg("path", { class: "level" }), svg("text", { class: "mark" })]);
  const cursors = [svg("path", { class: "now" }), svg("path", { class: "now" })];
  const memory = plot({
    title: "Averages",
    label: "Adam's averages after each gradient, with and without their corrections",
    height: 170,
    children: [cursors[0], ...Object.values(averages)],
  });
  const lengths = plot({
    title: "Length of the step, over the rate",
    label: "The length of each step over the rate, and the bounds that the chapter derives",
    height: 200,
    children: [...bounds.flat(), cursors[1], ...Object.values(steps)],
  });
  const otherKey = html("span");
  const facts = factList();

  const limits = () => {
    const { beta1, beta2 } = state();
    const longest = adamMaxStep(beta1, beta2);
    return [adamBurstStep(beta1, beta2, 0, 1), adamUncorrectedStep(beta1, beta2, 1), ...(longest === null ? [] : [longest])];
  };

  function drawPainted() {
    const { gradients } = state();
    painted.scale([0, LENGTH + 1], [-1.15, 1.15], { across: AXIS, up: [[-1, "−1"], [0, "0"], [1, "1"]] });
    setPath(bars, gradients.map((each, k) => `M${painted.at(k + 1, 0)}V${painted.y(each).toFixed(1)}`).join(""));
  }

  function drawAverages() {
    const { at } = state();
    const values = seen.adam.flatMap(({ m, root: size, mean, size: corrected }) => [m, size, mean, corrected]);
    const high = Math.max(...values, 1e-3) * 1.1;
    const low = Math.min(0, ...values) * 1.1;
    memory.scale([0, LENGTH + 1], [low, high], {
      across: AXIS,
      up: [[0, "0"], [high / 1.1, digits(high / 1.1, 2)], ...(low < -high / 8 ? [[low / 1.1, digits(low / 1.1, 2)]] : [])],
    });
    for (const [name, path] of Object.entries(averages)) setPath(path, memory.line(seen.adam.map((each) => each[name]), 1));
    setPath(cursors[0], `M${memory.at(at, low)}V${memory.y(high)}`);
  }

  function drawSteps() {
    const { at, other } = state();
    const rows = {
      adam: seen.adam.map(({ step }) => Math.abs(step)),
      plain: seen.adam.map(({ plain }) => Math.abs(plain)),
      other: seen.other.map(({ step }) => Math.abs(step)),
    };
    const known = asked.answered() ? limits() : [];
    const most = Math.max(...known, ...Object.values(rows).flat()) * 1.02;
    const top = TOPS.find((each) => each >= most) ?? most * 1.1;
    const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * (top === TOPS[0] ? 1 : top));
    lengths.scale([0, LENGTH + 1], [0, top], { across: AXIS, up: marks.map((each) => [each, digits(each)]) });
    for (const [name, path] of Object.entries(steps)) setPath(path, lengths.line(rows[name], 1));
    bounds.forEach(([path, text], k) => {
      setPath(path, k < known.length ? lengths.level(known[k]) : "");
      setText(text, k < known.length ? digits(known[k]) : "");
      if (k < known.length) {
        text.setAttribute("x", lengths.x(LENGTH + 1) - 2);
        text.setAttribute("y", lengths.y(known[k]) - 3);
      }
    });
    const { color, dash } = DESCRIPTION.optimizers[other];
    steps.other.setAttribute("stroke", color);
    steps.other.setAttribute("stroke-dasharray", dashes(dash));
    if (otherKey.textContent.trim() !== other) otherKey.replaceChildren(swatch(color, dash), ` ${other}`);
    setPath(cursors[1], `M${lengths.at(at, 0)}V${lengths.y(top)}`);
  }

  function drawFacts() {
    const { at, silence, gradients, other } = state();
    const { step, m, root: size, mass1, mass2, mean, size: corrected, plain } = seen.adam[at - 1];
    facts.draw([
      ["gradient", `${at}${silence ? `, after ${silence} of 0` : ""}`],
      ["g", digits(gradients[at - 1])],
      ["m", digits(m)],
      ["√v", digits(size)],
      ["1 − β₁ᵗ", digits(mass1)],
      ["1 − β₂ᵗ", digits(mass2)],
      ["m̂ = m / (1 − β₁ᵗ)", digits(mean)],
      ["√v̂", digits(corrected)],
      ["step / η", digits(step)],
      ["uncorrected", digits(plain)],
      ["the other’s", `${digits(seen.other[at - 1].step)}, ${other}`],
    ]);
  }

  const asked = questionBlock({
    guessing: slider({
      label: "My guess: rates",
      name: "guess",
      range: { scale: "log", first: 0.1, last: 100 },
      get: () => guess.longest,
      set(value) {
        guess.longest = value;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on Adam",
    onAnswer: figure.redraw,
    answer(guessed) {
      const { beta1, beta2 } = state();
      const [steady, lone, longest] = limits();
      const told = guessed ? ` Your guess was ${digits(guess.longest)}.` : "";
      const before = `${digits(steady)} for a constant gradient, ${digits(lone)} for the first one after an endless silence`;
      if (longest === undefined) return `${before}; with β₁² ≥ β₂ nothing bounds them all.${told}`;
      return `${before}, and never more than ${digits(longest)}: for gradients that grow by the factor β₂/β₁ = ${digits(beta2 / beta1)}.${told}`;
    },
  });

  const levers = [
    figure.number("silence", "Zeros before", (value) => `${value} gradients of 0`),
    figure.number("beta1", "β₁"),
    figure.number("beta2", "β₂"),
    select({
      label: "Beside Adam",
      name: "other",
      choices: RANGES.other.choices,
      get: () => state().other,
      set: (other) => figure.change({ other }),
    }),
  ];

  function draw() {
    const { other } = state();
    const { name } = DESCRIPTION.optimizers[other];
    seen = { adam: magnified(state()), other: traced(name, defaults(other), state()) };
    drawPainted();
    drawAverages();
    drawSteps();
    drawFacts();
    brush.show();
    levers.forEach(({ show }) => show());
    asked.draw("How many rates long can a step of Adam be, whatever the gradients?");
  }

  return figure.show(
    asked.element,
    html("div", { class: "presets", role: "group", "aria-label": "Gradients to begin with" }, ...presets),
    html(
      "div",
      { class: "stage" },
      html(
        "div",
        { class: "side" },
        painted.element,
        lengths.element,
        key([swatch(ADAM.color, ADAM.dash), "Adam"], [swatch(ADAM.color, UNCORRECTED), "uncorrected"], ["", otherKey]),
      ),
      html(
        "div",
        { class: "side" },
        memory.element,
        key([swatch(SGD.color, []), "m̂"], [swatch(SGD.color, UNCORRECTED), "m"], [swatch(RMSPROP.color, []), "√v̂"], [swatch(RMSPROP.color, UNCORRECTED), "√v"]),
        facts.element,
      ),
    ),
    html("div", { class: "ground four" }, ...levers.map(({ element }) => element)),
  );
}

mount(FIGURE, check, build);
