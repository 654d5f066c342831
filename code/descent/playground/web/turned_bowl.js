// Turn the bowl: gradient descent, RMSprop and Adam run down it anew at each angle.

import { slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { dashes, digits, factList, html, powerOfTen, setAttributes, svg, swatch } from "./elements.js";
import { ellipses } from "./levels.js";
import { checkedNumbers } from "./link.js";
import { mount } from "./mount.js";
import { player } from "./player.js";
import { key, plot, setPath } from "./plot.js";
import { questionBlock } from "./question.js";
import { follow } from "./run.js";
import { shell } from "./shell.js";
import { SURFACES } from "./surfaces.js";
import { rotatedKappa } from "./theory.js";

const FIGURE = "turned_bowl";
const RACERS = ["gradient descent", "RMSprop", "Adam"];
const START = [-2, 1]; // along the bowl's own axes, so that it turns with it
const ASKED = 45; // degrees, where the two curvatures mix most
const EVERY = 3; // degrees, for the curves
const LAST = DESCRIPTION.figures[FIGURE].angle.high;
const SECONDS = 8;
const LEVELS = 9;
const [WIDTH, HEIGHT] = [480, 300];
const WINDOW = [[-3.84, 3.84], [-2.4, 2.4]];
const [LOW, HIGH] = [-4, 1]; // decades of the distance

const radians = (degrees) => (degrees * Math.PI) / 180;
const place = (x, y) => [
  ((x - WINDOW[0][0]) / (WINDOW[0][1] - WINDOW[0][0])) * WIDTH,
  ((WINDOW[1][1] - y) / (WINDOW[1][1] - WINDOW[1][0])) * HEIGHT,
];
const onFrame = (x, y) => place(x, y).map((each) => Math.min(Math.max(each, -9e3), 9e3).toFixed(2));

function optionsOf(optimizer, { kappa, rmsprop_lr, adam_lr }) {
  const defaults = DESCRIPTION.optimizers[optimizer].hyperparameters.map((each) => [each.name, each.default]);
  const rates = { "gradient descent": 2 / (1 + kappa), RMSprop: rmsprop_lr, Adam: adam_lr };
  return { ...Object.fromEntries(defaults), lr: rates[optimizer] };
}

// Where one optimizer is after each step, on the bowl as it is turned.
export function ran(optimizer, state) {
  const turn = radians(state.angle);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const start = [cos * START[0] - sin * START[1], sin * START[0] + cos * START[1]];
  const rule = DESCRIPTION.optimizers[optimizer].name;
  const steps = follow(rule, SURFACES["turned ravine"](state), start, optionsOf(optimizer, state), state.num_steps);
  return steps.map(({ param }) => [...param]);
}

const left = (path) => Math.hypot(...path.at(-1));

function build(root, host, initial) {
  const guess = { times: 1 };
  let paths = [];
  let [swept, curves] = ["", []];
  const figure = shell({
    root, host, initial, draw,
    figure: FIGURE,
    title: "a bowl that is turned",
    pause: () => transport.pause(),
    summary: () => RACERS.map((each, k) => `${each}: ${digits(left(paths[k]))} from the minimum.`).join(" "),
  });
  const state = figure.state;

  const colored = RACERS.map((each) => DESCRIPTION.optimizers[each]);
  const stroke = ({ color, dash }) => ({ stroke: color, "stroke-dasharray": dashes(dash) });
  const rings = svg("path", { class: "rings" });
  const goal = svg("path", { class: "goal", d: `M${WIDTH / 2 - 5} ${HEIGHT / 2}h10m-5-5v10` });
  const tracks = colored.map((each) => svg("polyline", { class: "path", ...stroke(each) }));
  const heads = colored.map(({ color }) => svg("circle", { class: "head", r: 5, fill: color }));
  const map = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The bowl from above, and the three paths on it" },
    rings, goal, ...tracks, ...heads,
  );

  const lines = colored.map((each) => svg("path", { class: "path", ...stroke(each) }));
  const dots = colored.map(({ color }) => svg("circle", { class: "head", r: 4.5, fill: color }));
  const cursor = svg("path", { class: "now" });
  const chart = plot({
    title: "Distance left, against the angle",
    label: "The distance from the minimum after the last step, logarithmic, against the angle",
    width: 320,
    height: 200,
    children: [cursor, ...lines, ...dots],
  });
  const facts = factList();

  function drawMap() {
    const { kappa, angle } = state();
    const levels = Array.from({ length: LEVELS }, (_, k) => 0.5 * ((2.6 * (k + 1)) / LEVELS) ** 2);
    setAttributes(rings, { d: ellipses({ curvatures: [1, kappa], angle: radians(angle) }, place, levels) });
    paths.forEach((path, k) => {
      const points = path.map(([x, y]) => onFrame(x, y).join());
      setAttributes(tracks[k], { points: points.join(" ") });
      const [cx, cy] = points.at(-1).split(",");
      setAttributes(heads[k], { cx, cy });
    });
  }

  // The whole curves are made only where something but the angle has changed.
  function sweep() {
    const now = JSON.stringify({ ...state(), angle: 0 });
    if (now === swept) return;
    swept = now;
    const angles = Array.from({ length: LAST / EVERY + 1 }, (_, k) => k * EVERY);
    curves = RACERS.map((each) => angles.map((angle) => left(ran(each, { ...state(), angle }))));
  }

  function drawChart() {
    const height = (distance) => Math.log10(Math.max(distance, 1e-12));
    const decades = Array.from({ length: HIGH - LOW + 1 }, (_, k) => LOW + k);
    chart.scale([0, LAST], [LOW, HIGH], {
      across: [[0, "0°"], [LAST / 2, `${LAST / 2}°`], [LAST, `${LAST}°`]],
      up: decades.map((each) => [each, powerOfTen(each)]),
    });
    if (asked.answered()) sweep();
    const { angle } = state();
    lines.forEach((line, k) => {
      const points = asked.answered() ? curves[k].map((each, at) => chart.at(at * EVERY, height(each))) : [];
      setPath(line, points.length ? `M${points.join("L")}` : "");
      setAttributes(dots[k], { cx: chart.x(angle).toFixed(1), cy: chart.y(height(left(paths[k]))).toFixed(1) });
    });
    setPath(cursor, `M${chart.at(angle, LOW)}V${chart.y(HIGH)}`);
  }

  function drawFacts() {
    const { angle, kappa } = state();
    facts.draw([
      ...RACERS.map((each, k) => [`${each} ends at`, digits(left(paths[k]))]),
      ["κ that the best diagonal leaves", digits(rotatedKappa(kappa, radians(angle)))],
    ]);
  }

  const asked = questionBlock({
    guessing: slider({
      label: "My guess: times as far",
      name: "guess",
      range: { scale: "log", first: 0.1, last: 1000 },
      get: () => guess.times,
      set(value) {
        guess.times = value;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the second page of the chapter on RMSprop",
    onAnswer: figure.redraw,
    answer(guessed) {
      const times = (name) => {
        const [turned, straight] = [ASKED, 0].map((angle) => left(ran(name, { ...state(), angle })));
        return digits(turned / straight, 2);
      };
      const told = guessed ? ` You guessed ${digits(guess.times)}.` : "";
      return `${times("RMSprop")} times for RMSprop, ${times("Adam")} times for Adam; gradient descent does not notice: ${times("gradient descent")}.${told}`;
    },
  });

  const levers = [
    figure.number("kappa", "Condition κ"),
    figure.number("rmsprop_lr", "η of RMSprop"),
    figure.number("adam_lr", "η of Adam"),
    figure.number("num_steps", "Steps"),
  ];
  const transport = player({
    steps: () => LAST,
    seconds: SECONDS,
    at: () => state().angle,
    show: (angle) => figure.change({ angle }),
    words: {
      label: "Turned by",
      one: "One degree",
      tells: (shown) => `${shown}°`,
      says: (shown) => `${shown} degrees`,
    },
  });

  function draw(now) {
    transport.advance(now);
    paths = RACERS.map((each) => ran(each, state()));
    drawMap();
    drawChart();
    drawFacts();
    transport.draw();
    levers.forEach(({ show }) => show());
    asked.draw(`Turned by ${ASKED}°, how many times as far from the minimum does RMSprop end as along the axes? And Adam?`);
  }

  return figure.show(
    asked.element,
    html(
      "div",
      { class: "stage" },
      html("div", { class: "map" }, map),
      html("div", { class: "side" }, chart.element, facts.element),
    ),
    key(...RACERS.map((each, k) => [swatch(colored[k].color, colored[k].dash), each])),
    transport.element,
    html("div", { class: "ground four" }, ...levers.map(({ element }) => element)),
  );
}

mount(FIGURE, (raw) => checkedNumbers(FIGURE, raw), build);
