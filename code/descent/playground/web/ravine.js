// The ravine: up to three optimizers race down a surface that the reader turns and stretches.

import { awayBlock } from "./away.js";
import { announcer, button, checkbox, handle, painter, select, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { digits, html, setAttributes, setText, svg } from "./elements.js";
import { lossChart } from "./chart.js";
import { crossings, ellipses } from "./levels.js";
import { checkedNumbers, checkedOptions, checkedPoint, checkedRacers } from "./link.js";
import { mount } from "./mount.js";
import { player } from "./player.js";
import { questionBlock } from "./question.js";
import { follow, normals } from "./run.js";
import { SURFACES } from "./surfaces.js";
import { heavyBallFactor } from "./theory.js";
import { numbersOf, numbersTable } from "./update.js";

const FIGURE = "ravine";
const MOST = 3;
const [WIDTH, HEIGHT] = [480, 300];
const LEVELS = 9;
const DOTS = 150; // beyond it the steps of a path are too close to be told apart
const SECONDS = 5; // that a whole run takes to play
const RANGES = DESCRIPTION.figures[FIGURE];
const SNAP = 0.02;
const BY_SIZE = ["gradient descent", "SGD"];

function check(raw) {
  const numbers = checkedNumbers(FIGURE, raw);
  const { window, start } = DESCRIPTION.surfaces[numbers.surface];
  const state = {
    ...numbers,
    start: checkedPoint("the start", raw.start ?? start, window),
    racers: checkedRacers(raw.racers ?? defaultRacers(numbers), MOST),
  };
  const at = Number(raw.at ?? state.num_steps);
  if (!Number.isInteger(at) || at < 0 || at > state.num_steps) throw new Error("there is no such step");
  return { ...state, at };
}

function defaultRacers({ kappa }) {
  return [{ optimizer: "gradient descent", lr: 1.8 / kappa }];
}

// What is added next to those that race already.
function another(racers) {
  const { lr } = racers[0];
  const wanted = [
    { optimizer: "gradient descent", lr },
    { optimizer: "SGD", lr, momentum: 0.8 },
    { optimizer: "Adam", lr: 0.1 },
  ];
  return wanted.find((each) => !racers.some(({ optimizer }) => optimizer === each.optimizer)) ?? wanted[2];
}

function build(root, host, initial) {
  let state = initial;
  let runs = [];
  let stale = true;
  let shape = "";
  const shows = [];

  const described = () => DESCRIPTION.surfaces[state.surface];
  const surface = () => SURFACES[state.surface](state);
  const limit = () => (surface().curvatures ? 2 / Math.max(...surface().curvatures) : null);
  const place = (x, y) => {
    const [[left, right], [bottom, top]] = described().window;
    return [((x - left) / (right - left)) * WIDTH, ((top - y) / (top - bottom)) * HEIGHT];
  };
  const onFrame = (x, y) => place(x, y).map((each) => Math.min(Math.max(each, -9e3), 9e3).toFixed(2));

  const { element: status, say } = announcer();
  const notice = html("p", { class: "notice", hidden: true });

  // A change of anything but the step shown makes the runs anew, and shows them whole.
  function change(changes) {
    const shownWhole = state.at === state.num_steps;
    state = { ...state, ...changes };
    if (shownWhole || state.at > state.num_steps) state.at = state.num_steps;
    stale = true;
    notice.hidden = true;
    paint();
    say(summary());
  }

  function summary() {
    if (stale) run();
    return runs
      .map(({ optimizer, steps }) => {
        const last = steps.at(-1);
        const left = steps.length <= state.num_steps ? "left all bounds" : `loss ${digits(last.loss)}`;
        return `${optimizer}: ${left} after ${steps.length - 1} steps.`;
      })
      .join(" ");
  }

  function run() {
    const here = surface();
    runs = state.racers.map(({ optimizer, ...options }) => {
      const normal = normals(state.seed);
      const noise = state.surface === "noisy bowl" ? () => state.noise * normal() : undefined;
      const rule = DESCRIPTION.optimizers[optimizer].name;
      const steps = follow(rule, here, state.start, options, state.num_steps, noise);
      return { optimizer, options, steps, points: steps.map(({ param }) => onFrame(...param).join()) };
    });
    stale = false;
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
    get: () => state.start,
    set: (start) => change({ start }),
  });
  frame.append(startHandle.element);
  shows.push(startHandle.show);

  function drawSurface() {
    const now = JSON.stringify([state.surface, state.kappa, state.angle]);
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
      const shown = one ? Math.min(Math.round(state.at), one.steps.length - 1) : 0;
      path.style.display = head.style.display = one ? "" : "none";
      if (!one) return;
      const { color, dash } = DESCRIPTION.optimizers[one.optimizer];
      const marker = state.num_steps <= DOTS ? `url(#dot-${index})` : "none";
      setAttributes(path, {
        points: one.points.slice(0, shown + 1).join(" "),
        stroke: color,
        "stroke-dasharray": dash.map((each) => each * 2).join(" "),
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
    const racer = state.racers.find(
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

  const redraw = () => {
    stale = true;
    paint();
  };

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
        redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on gradient descent",
    onAnswer: redraw,
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
    const rate = lr ?? 1.8 / state.kappa;
    const racers = state.racers.map((each) =>
      BY_SIZE.includes(each.optimizer) ? { ...each, lr: rate } : each,
    );
    return { start, racers };
  }

  // What can be turned
  const number = (name, label, says = digits) =>
    slider({
      label,
      name,
      range: RANGES[name],
      whole: RANGES[name].whole,
      says,
      get: () => state[name],
      set: (value) => change({ [name]: value }),
    });
  const surfaces = select({
    label: "Surface",
    name: "surface",
    choices: RANGES.surface.choices,
    get: () => state.surface,
    set: (name) => change({ surface: name, ...suited(name) }),
  });
  const numbers = {
    kappa: number("kappa", "Condition κ"),
    angle: number("angle", "Turned by", (value) => `${digits(value)} degrees`),
    noise: number("noise", "Noise σ"),
    num_steps: number("num_steps", "Steps"),
  };
  const ground = html(
    "div",
    { class: "ground" },
    surfaces.element,
    ...Object.values(numbers).map(({ element }) => element),
  );
  shows.push(surfaces.show, ...Object.values(numbers).map(({ show }) => show));
  const takes = () => [...described().takes, "num_steps"];
  function drawGround() {
    for (const [name, { input, element }] of Object.entries(numbers)) {
      input.disabled = !takes().includes(name);
      element.classList.toggle("off", input.disabled);
    }
  }

  // The racers
  const lanes = html("div", { class: "racers" });
  let laneShows = [];
  let lined = "";
  function drawLanes() {
    const now = state.racers.map(({ optimizer }) => optimizer).join();
    if (now !== lined) {
      lined = now;
      const focused = root.activeElement?.dataset.name;
      laneShows = [];
      lanes.replaceChildren(...state.racers.map(lane), ...(state.racers.length < MOST ? [adding()] : []));
      markers.replaceChildren(
        ...state.racers.map(({ optimizer }, index) => dot(DESCRIPTION.optimizers[optimizer].color, index)),
      );
      if (focused && !root.activeElement) root.querySelector(`[data-name="${focused}"]`)?.focus();
    }
    laneShows.forEach((show) => show());
  }

  const changeRacer = (index, changes) =>
    change({ racers: state.racers.map((each, k) => (k === index ? { ...each, ...changes } : each)) });

  function adding() {
    return button("Add an optimizer", "add", () => {
      const { optimizer, ...options } = another(state.racers);
      change({ racers: [...state.racers, { optimizer, ...checkedOptions(optimizer, options) }] });
    }, { class: "adding" });
  }

  function lane({ optimizer }, index) {
    const { color, dash, hyperparameters } = DESCRIPTION.optimizers[optimizer];
    const named = (name) => `${name}-${index}`;
    const choosing = select({
      label: `Optimizer ${index + 1}`,
      name: named("optimizer"),
      choices: Object.keys(DESCRIPTION.optimizers),
      get: () => state.racers[index].optimizer,
      set: (name) => {
        const options = checkedOptions(name, { lr: state.racers[index].lr });
        change({ racers: state.racers.map((each, k) => (k === index ? { optimizer: name, ...options } : each)) });
      },
    });
    const controls = hyperparameters.flatMap((each) => lever(each, index, named));
    laneShows.push(choosing.show, ...controls.map(({ show }) => show));
    const [first, more] = [controls.filter((each) => each.first), controls.filter((each) => !each.first)];
    const table = numbersTable();
    laneShows.push(() => {
      const { steps, options } = runs[index];
      const at = Math.min(Math.round(state.at), steps.length - 1);
      table.draw(numbersOf(steps, at, options, optimizer), at);
    });
    const swatch = svg(
      "svg",
      { class: "swatch", viewBox: "0 0 28 8", "aria-hidden": "true" },
      svg("path", { d: "M1 4H27", stroke: color, "stroke-dasharray": dash.map((each) => each * 2).join(" ") }),
    );
    const removing = button("×", named("remove"), () =>
      change({ racers: state.racers.filter((_, k) => k !== index) }),
      { class: "plain removing", "aria-label": `Remove optimizer ${index + 1}` });
    return html(
      "section",
      { class: "racer", "aria-label": `Optimizer ${index + 1}` },
      html(
        "div",
        { class: "levers" },
        html("div", { class: "heading" }, swatch, choosing.element, ...(state.racers.length > 1 ? [removing] : [])),
        ...first.map(({ element }) => element),
        ...(more.length
          ? [html("details", {}, html("summary", {}, "All it takes"), ...more.map(({ element }) => element))]
          : []),
      ),
      table.element,
    );
  }

  // One control for a hyperparameter, or one for each of its numbers.
  function lever(each, index, named) {
    const first = ["lr", "momentum", "betas", "alpha"].includes(each.name);
    const label = each.symbol ? `${each.symbol}, ${each.name}` : each.name;
    const get = () => state.racers[index][each.name];
    if (each.kind === "flag") {
      const disabled = () =>
        each.name === "nesterov" && (!state.racers[index].momentum || Boolean(state.racers[index].dampening));
      return [
        {
          first,
          ...checkbox({
            label: each.name,
            name: named(each.name),
            get,
            set: (value) => changeRacer(index, { [each.name]: value }),
            disabled,
          }),
        },
      ];
    }
    if (each.kind === "numbers") {
      return each.default.map((_, k) => ({
        first,
        ...slider({
          label: `${each.symbol}${"₁₂"[k]}, ${each.name}`,
          name: named(`${each.name}${k}`),
          range: each,
          get: () => get()[k],
          set: (value) => changeRacer(index, { [each.name]: get().map((old, i) => (i === k ? value : old)) }),
        }),
      }));
    }
    const marked = each.name === "lr" && state.racers[index].optimizer === "gradient descent";
    const mark = () => (marked && asked.answered() ? limit() : null);
    const set = (value) => {
      const racer = { ...state.racers[index], [each.name]: value };
      // Nesterov's form needs momentum and no dampening, and goes where they go.
      if (racer.nesterov && (!racer.momentum || racer.dampening)) racer.nesterov = false;
      changeRacer(index, racer);
    };
    const snap = (value) => (mark() && Math.abs(value / mark() - 1) < SNAP ? mark() : value);
    const says = (value) => (value === mark() ? `${digits(value)}, which is 2/L` : digits(value));
    return [{ first, ...slider({ label, name: named(each.name), range: each, get, set, snap, says, mark }) }];
  }

  const chart = lossChart();
  const transport = player({
    steps: () => state.num_steps,
    seconds: SECONDS,
    at: () => state.at,
    show(at) {
      state = { ...state, at };
      paint();
    },
    ended: () => say(summary()),
  });

  function draw(now) {
    transport.advance(now);
    const changed = stale || !transport.playing();
    if (stale) run();
    drawPaths();
    drawLanes();
    transport.draw();
    chart.draw(runs, state);
    if (!changed) return; // what follows does not depend on the step shown
    drawSurface();
    drawFactors();
    drawQuestion();
    drawGround();
    shows.forEach((show) => show());
  }
  const paint = painter(host, draw);

  function set(next) {
    transport.pause();
    state = next;
    stale = true;
    notice.hidden = true;
    paint();
  }

  const away = awayBlock({
    figure: FIGURE,
    host,
    state: () => ({ ...state, at: Math.round(state.at) }),
    restore: () => {
      set(initial);
      say(summary());
    },
  });
  root.append(
    html(
      "div",
      { class: "figure", role: "group", "aria-label": "Figure that answers back: the ravine" },
      notice,
      asked.element,
      html("div", { class: "stage" }, frame, html("div", { class: "side" }, chart.element, factors)),
      transport.element,
      ground,
      lanes,
      away,
      status,
    ),
  );
  draw(0);
  return {
    set,
    notice(text) {
      setText(notice, text);
      notice.hidden = !text;
    },
  };
}

function verdict(factor) {
  if (factor === 1) return "stays";
  return factor > 1 ? "grows" : "shrinks";
}

mount(FIGURE, check, build);
