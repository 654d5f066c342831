// The ravine: up to three optimizers race down a surface that the reader turns and stretches.

import { lossChart } from "./chart.js";
import { handle, select, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { dashes, digits, html, setAttributes, svg } from "./elements.js";
import { MOST, lanes } from "./lanes.js";
import { crossings, ellipses } from "./levels.js";
import { checkedNumbers, checkedPoint, checkedRacers, checkedStep } from "./link.js";
import { mount } from "./mount.js";
import { player } from "./player.js";
import { questionBlock } from "./question.js";
import { follow, normals } from "./run.js";
import { shell } from "./shell.js";
import { SURFACES } from "./surfaces.js";
import { heavyBallFactor } from "./theory.js";

const FIGURE = "ravine";
const [WIDTH, HEIGHT] = [480, 300];
const LEVELS = 9;
const DOTS = 150; // beyond it the steps of a path are too close to be told apart
const SECONDS = 5; // that a whole run takes to play
const RANGES = DESCRIPTION.figures[FIGURE];
const BY_SIZE = ["gradient descent", "SGD"];

function check(raw) {
  const numbers = checkedNumbers(FIGURE, raw);
  const { window, start } = DESCRIPTION.surfaces[numbers.surface];
  const state = {
    ...numbers,
    start: checkedPoint("the start", raw.start ?? start, window),
    racers: checkedRacers(raw.racers ?? defaultRacers(numbers), MOST),
  };
  return { ...state, at: checkedStep(raw.at, state.num_steps) };
}

function defaultRacers({ kappa }) {
  return [{ optimizer: "gradient descent", lr: 1.8 / kappa }];
}

function build(root, host, initial) {
  let runs = [];
  let shape = "";
  const figure = shell({
    root, host, initial, draw, summary,
    figure: FIGURE,
    title: "the ravine",
    pause: () => transport.pause(),
  });
  const state = figure.state;

  const described = () => DESCRIPTION.surfaces[state().surface];
  const surface = () => SURFACES[state().surface](state());
  const limit = () => (surface().curvatures ? 2 / Math.max(...surface().curvatures) : null);
  const place = (x, y) => {
    const [[left, right], [bottom, top]] = described().window;
    return [((x - left) / (right - left)) * WIDTH, ((top - y) / (top - bottom)) * HEIGHT];
  };
  const onFrame = (x, y) => place(x, y).map((each) => Math.min(Math.max(each, -9e3), 9e3).toFixed(2));

  // A run that is shown whole stays whole when it becomes longer.
  function change(changes) {
    const { at, num_steps } = { ...state(), ...changes };
    const whole = state().at === state().num_steps || at > num_steps;
    figure.change({ ...changes, at: whole ? num_steps : at });
  }

  function summary() {
    return runs
      .map(({ optimizer, steps }) => {
        const last = steps.at(-1);
        const left = steps.length <= state().num_steps ? "left all bounds" : `loss ${digits(last.loss)}`;
        return `${optimizer}: ${left} after ${steps.length - 1} steps.`;
      })
      .join(" ");
  }

  function run() {
    const here = surface();
    const { surface: name, seed, noise: spread, start, num_steps } = state();
    runs = state().racers.map(({ optimizer, ...options }) => {
      const normal = normals(seed);
      const noise = name === "noisy bowl" ? () => spread * normal() : undefined;
      const rule = DESCRIPTION.optimizers[optimizer].name;
      const steps = follow(rule, here, start, options, num_steps, noise);
      return { optimizer, options, steps, points: steps.map(({ param }) => onFrame(...param).join()) };
    });
  }

  // The map
  const rings = svg("path", { class: "rings" });
  const goal = svg("path", { class: "goal", d: "M-5 0H5M0-5V5" });
  const dot = (color, index) =>
    svg(
      "marker",
      { id: `dot-${index}`, markerWidth: 6, markerHeight: 6, refX: 3, refY: 3, markerUnits: "userSpaceOnUse" },
      svg("circle", { cx: 3, cy: 3, r: 2.3, fill: color }),
    );
  const tracks = Array.from({ length: MOST }, () => ({
    path: svg("polyline", { class: "path" }),
    head: svg("circle", { class: "head", r: 5 }),
  }));
  const markers = svg("defs");
  const map = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The surface from above, and the paths on it" },
    markers, rings, goal, ...tracks.flatMap(({ path, head }) => [path, head]),
  );
  const frame = html("div", { class: "map" }, map);
  const startHandle = handle({
    label: "Start",
    name: "start",
    window: () => described().window,
    frame,
    get: () => state().start,
    set: (start) => change({ start }),
  });
  frame.append(startHandle.element);

  function drawSurface() {
    const now = JSON.stringify([state().surface, state().kappa, state().angle]);
    if (now === shape) return;
    shape = now;
    const here = surface();
    const { window, minimizer } = described();
    if (here.curvatures) {
      const [[, right]] = window;
      const widest = right * 1.15;
      const levels = Array.from({ length: LEVELS }, (_, k) => 0.5 * ((widest * (k + 1)) / LEVELS) ** 2);
      setAttributes(rings, { d: ellipses(here, place, levels) });
    } else {
      const corners = window[0].flatMap((x) => window[1].map((y) => here.value(x, y)));
      const low = here.value(...minimizer);
      const span = Math.max(...corners) - low;
      const levels = Array.from({ length: LEVELS + 3 }, (_, k) => low + span * ((k + 1) / (LEVELS + 3)) ** 4);
      setAttributes(rings, { d: crossings(here, window, place, levels) });
    }
    const [x, y] = place(...minimizer);
    setAttributes(goal, { transform: `translate(${x} ${y})` });
  }

  function drawPaths() {
    tracks.forEach(({ path, head }, index) => {
      const one = runs[index];
      const shown = one ? Math.min(Math.round(state().at), one.steps.length - 1) : 0;
      path.style.display = head.style.display = one ? "" : "none";
      if (!one) return;
      const { color, dash } = DESCRIPTION.optimizers[one.optimizer];
      const marker = state().num_steps <= DOTS ? `url(#dot-${index})` : "none";
      setAttributes(path, {
        points: one.points.slice(0, shown + 1).join(" "),
        stroke: color,
        "stroke-dasharray": dashes(dash),
        "marker-mid": marker,
      });
      const [cx, cy] = one.points[shown].split(",");
      setAttributes(head, { cx, cy, fill: color });
    });
  }

  // Factors per step
  const factors = html("div", { class: "factors" });
  function drawFactors() {
    const { curvatures } = surface();
    const racer = state().racers.find(
      (each) =>
        each.optimizer === "gradient descent" ||
        (each.optimizer === "SGD" && !each.nesterov && !each.dampening && !each.weight_decay && !each.maximize),
    );
    if (!curvatures || !racer) {
      factors.replaceChildren(
        html("p", {}, "A fixed factor per step, gradient descent and momentum have on a bowl, and only there."),
      );
      return;
    }
    const momentum = racer.momentum ?? 0;
    const { color } = DESCRIPTION.optimizers[racer.optimizer];
    const rows = curvatures.map((curvature, index) => {
      const factor = heavyBallFactor(racer.lr * curvature, momentum);
      const bar = html("span", { class: "bar", "aria-hidden": "true" }, html("i"));
      bar.style.setProperty("--part", Math.min(factor / 1.25, 1));
      bar.style.setProperty("--color", color);
      return html(
        "div",
        { class: factor > 1 ? "factor grows" : "factor" },
        html("dt", {}, `${index ? "steep" : "flat"}, λ = ${digits(curvature)}`),
        html("dd", {}, digits(factor), html("span", { class: "verdict" }, verdict(factor))),
        bar,
      );
    });
    factors.replaceChildren(
      html("p", { class: "title" }, momentum ? "Factor per step, max |r|" : "Factor per step, |1 − ηλ|"),
      html("dl", {}, ...rows),
    );
  }

  // The question
  const guess = { lr: 0.03 };
  const asked = questionBlock({
    guessing: slider({
      label: "My guess: η",
      name: "guess",
      range: DESCRIPTION.optimizers["gradient descent"].hyperparameters[0],
      get: () => guess.lr,
      set: (lr) => {
        guess.lr = lr;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on gradient descent",
    onAnswer: figure.redraw,
    answer(guessed) {
      const truth = `At η = 2/L = 2/κ = ${digits(limit())}: from there on each step ends at least as far on the other side of the valley.`;
      if (!guessed) return truth;
      const factor = digits(Math.abs(1 - (guess.lr * 2) / limit()));
      return `${truth} At your guess, ${digits(guess.lr)}, it ends ${factor} times as far from its floor.`;
    },
  });
  const drawQuestion = () =>
    limit() === null
      ? asked.draw("The curvature changes from place to place. Which optimizer gets down, and from where?", false)
      : asked.draw("At which learning rate η does gradient descent stop converging here?");

  // Another surface has another start, and other rates bring down what steps by the gradient's size.
  function suited(name) {
    const { start, lr } = DESCRIPTION.surfaces[name];
    const rate = lr ?? 1.8 / state().kappa;
    const racers = state().racers.map((each) =>
      BY_SIZE.includes(each.optimizer) ? { ...each, lr: rate } : each,
    );
    return { start, racers };
  }

  // What can be turned
  const surfaces = select({
    label: "Surface",
    name: "surface",
    choices: RANGES.surface.choices,
    get: () => state().surface,
    set: (name) => change({ surface: name, ...suited(name) }),
  });
  const numbers = {
    kappa: figure.number("kappa", "Condition κ"),
    angle: figure.number("angle", "Turned by", (value) => `${digits(value)} degrees`),
    noise: figure.number("noise", "Noise σ"),
    num_steps: figure.number("num_steps", "Steps", undefined, change),
  };
  const ground = html(
    "div",
    { class: "ground" },
    surfaces.element,
    ...Object.values(numbers).map(({ element }) => element),
  );
  const takes = () => [...described().takes, "num_steps"];
  function drawGround() {
    for (const [name, { input, element }] of Object.entries(numbers)) {
      input.disabled = !takes().includes(name);
      element.classList.toggle("off", input.disabled);
    }
  }

  const racers = lanes({
    root,
    racers: () => state().racers,
    change: (changed) => change({ racers: changed }),
    shown(index) {
      const { steps, options } = runs[index];
      return { steps, options, at: Math.min(Math.round(state().at), steps.length - 1) };
    },
    limit: () => (asked.answered() ? limit() : null),
  });
  const chart = lossChart();
  const transport = player({
    steps: () => state().num_steps,
    seconds: SECONDS,
    at: () => state().at,
    show: figure.seek,
    ended: figure.say,
  });

  function draw(now, changed) {
    transport.advance(now);
    if (changed) run();
    drawPaths();
    racers.draw();
    transport.draw();
    chart.draw(runs, state());
    if (!changed) return; // what follows does not depend on the step shown
    markers.replaceChildren(
      ...state().racers.map(({ optimizer }, index) => dot(DESCRIPTION.optimizers[optimizer].color, index)),
    );
    drawSurface();
    drawFactors();
    drawQuestion();
    drawGround();
    for (const { show } of [startHandle, surfaces, ...Object.values(numbers)]) show();
  }

  return figure.show(
    asked.element,
    html("div", { class: "stage" }, frame, html("div", { class: "side" }, chart.element, factors)),
    transport.element,
    ground,
    racers.element,
  );
}

function verdict(factor) {
  if (factor === 1) return "stays";
  return factor > 1 ? "grows" : "shrinks";
}

mount(FIGURE, check, build);
