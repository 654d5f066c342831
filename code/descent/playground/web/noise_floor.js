// The noise floor: a cloud of runs that stops coming nearer, and what brings it nearer again.

import { button, checkbox, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { digits, factList, html, powerOfTen, setAttributes, svg } from "./elements.js";
import { checkedFlag, checkedNumbers, checkedStep } from "./link.js";
import { mount } from "./mount.js";
import { player } from "./player.js";
import { questionBlock } from "./question.js";
import { RULES } from "./rules.js";
import { normals } from "./run.js";
import { shell } from "./shell.js";
import { expectedSquares, sgdFloor } from "./theory.js";

const FIGURE = "noise_floor";
const RANGES = DESCRIPTION.figures[FIGURE];
const STEPS = RANGES.drop.high;
const [START, RUNS, DRAWN] = [3, 200, 30];
const DROP = 0.1;
const SECONDS = 6;
const [WIDTH, HEIGHT] = [640, 300];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 26];
const [HIGH, LOW] = [2, -6]; // decades of the squared distance
const OWN = DESCRIPTION.optimizers.SGD.color;
const AVERAGE = DESCRIPTION.optimizers.RMSprop.color;

const x = (step) => LEFT + (step / STEPS) * (WIDTH - LEFT - RIGHT);
const y = (square) => {
  const part = (HIGH - Math.log10(Math.max(square, 1e-12))) / (HIGH - LOW);
  return TOP + Math.min(Math.max(part, -0.5), 1.5) * (HEIGHT - TOP - BOTTOM);
};
const line = (squares) =>
  `M${squares.map((square, step) => `${x(step).toFixed(1)} ${y(square).toFixed(1)}`).join("L")}`;

export const rates = ({ lr, drop }) =>
  Array.from({ length: STEPS }, (_, step) => (step < drop ? lr : lr * DROP));

// All runs at once: the squares of each at every step, their mean, and that of the runs' averages.
export function cloud(state) {
  const normal = normals(state.seed);
  const spread = state.noise / Math.sqrt(state.batch_size);
  let param = new Float64Array(RUNS).fill(START);
  const sum = new Float64Array(RUNS);
  const mean = (values) => values.reduce((total, each) => total + each * each, 0) / RUNS;
  const squares = Array.from({ length: DRAWN }, () => [START * START]);
  const [run, average] = [[START * START], [START * START]];
  rates(state).forEach((lr, step) => {
    param.forEach((each, k) => (sum[k] += each));
    const grad = param.map((each) => each + spread * normal());
    [param] = RULES.GradientDescent(param, grad, {}, { lr });
    squares.forEach((each, k) => each.push(param[k] * param[k]));
    run.push(mean(param));
    average.push(mean(sum.map((each) => each / (step + 1))));
  });
  return { squares, run, average };
}

function check(raw) {
  const average = checkedFlag("average", raw.average ?? false);
  return { ...checkedNumbers(FIGURE, raw), average, at: checkedStep(raw.at, STEPS) };
}

function build(root, host, initial) {
  const guess = { floor: 0.01 };
  const figure = shell({
    root, host, initial, draw,
    figure: FIGURE,
    title: "the noise floor",
    pause: () => transport.pause(),
    summary() {
      const { run, average } = cloud(figure.state());
      const averaged = figure.state().average ? ` Of the averages: ${digits(average.at(-1))}.` : "";
      return `Mean squared distance after ${STEPS} steps: ${digits(run.at(-1))}.${averaged}`;
    },
  });
  const floor = (lr = figure.state().lr) =>
    sgdFloor(lr, figure.state().noise ** 2, figure.state().batch_size);

  // The picture: what was simulated is drawn up to the step shown, what is expected as a whole.
  const shown = svg("rect", { x: 0, y: TOP, height: HEIGHT - TOP - BOTTOM, width: WIDTH });
  const clip = `shown-${Math.random().toString(36).slice(2)}`;
  const runs = svg("path", { class: "cloud", stroke: OWN });
  const mean = svg("path", { class: "path", stroke: OWN });
  const averaged = svg("path", { class: "path", stroke: AVERAGE });
  const expected = svg("path", { class: "expected" });
  const expectedAverage = svg("path", { class: "expected" });
  const level = svg("path", { class: "level" });
  const cursor = svg("path", { class: "now" });
  const decades = Array.from({ length: HIGH - LOW + 1 }, (_, k) => LOW + k).filter((each) => each % 2 === 0);
  const grid = svg(
    "g",
    { class: "grid" },
    ...decades.flatMap((each) => [
      svg("path", { d: `M${LEFT} ${y(10 ** each)}H${WIDTH - RIGHT}` }),
      svg("text", { x: LEFT - 6, y: y(10 ** each) + 4, "text-anchor": "end" }, powerOfTen(each)),
    ]),
    svg("text", { x: LEFT, y: HEIGHT - 6 }, "0"),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `${STEPS} steps`),
  );
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "Squared distance to the minimum at each step, logarithmic" },
    svg("defs", {}, svg("clipPath", { id: clip }, shown)),
    grid, svg("g", { "clip-path": `url(#${clip})` }, runs, mean, averaged), expected, expectedAverage, level, cursor,
  );

  function drawPicture() {
    const state = figure.state();
    const made = cloud(state);
    setAttributes(runs, { d: made.squares.map(line).join("") });
    setAttributes(mean, { d: line(made.run) });
    setAttributes(averaged, { d: state.average ? line(made.average) : "" });
    const known = asked.answered();
    const wanted = expectedSquares(START, rates(state), state.noise ** 2, state.batch_size);
    setAttributes(expected, { d: known ? line(wanted.map((each) => each.run)) : "" });
    setAttributes(expectedAverage, {
      d: known && state.average ? line(wanted.map((each) => each.average)) : "",
    });
    const dropped = state.drop < STEPS ? state.lr * DROP : state.lr;
    setAttributes(level, { d: known ? `M${LEFT} ${y(floor(dropped))}H${WIDTH - RIGHT}` : "" });
    const last = wanted.at(-1);
    facts.draw([
      ["Mean of 200 runs", digits(made.run.at(-1))],
      ["Expected", known ? digits(last.run) : "·"],
      ["Of their averages", state.average ? digits(made.average.at(-1)) : "·"],
      ["Expected of them", known && state.average ? digits(last.average) : "·"],
    ]);
  }
  const facts = factList();

  const asked = questionBlock({
    guessing: slider({
      label: "My guess",
      name: "guess",
      range: { scale: "log", first: 1e-4, last: 10 },
      get: () => guess.floor,
      set: (value) => {
        guess.floor = value;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on stochastic gradient descent",
    onAnswer: figure.redraw,
    answer(guessed) {
      const truth = `At the floor ησ²/(B(2 − η)) = ${digits(floor())}, for a curvature of 1.`;
      if (!guessed || floor() === 0) return truth;
      return `${truth} Your guess, ${digits(guess.floor)}, is ${digits(guess.floor / floor())} times that.`;
    },
  });

  // What can be turned
  const levers = [
    figure.number("lr", "Rate η"),
    figure.number("batch_size", "Batch B"),
    figure.number("noise", "Noise σ"),
    figure.number("drop", "η/10 from"),
    checkbox({
      label: "Average the iterates",
      name: "average",
      get: () => figure.state().average,
      set: (average) => figure.change({ average }),
    }),
  ];

  const dropButton = button("Drop the rate now", "drop-now", () =>
    figure.change({ drop: Math.round(figure.state().at) }),
  );
  const transport = player({
    steps: () => STEPS,
    seconds: SECONDS,
    at: () => figure.state().at,
    show: figure.seek,
    more: [dropButton],
  });

  function draw(now, changed) {
    transport.advance(now);
    const { at } = figure.state();
    setAttributes(shown, { width: x(at).toFixed(1) });
    setAttributes(cursor, { d: `M${x(at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}` });
    transport.draw();
    dropButton.disabled = Math.round(at) >= STEPS;
    if (!changed) return;
    drawPicture();
    levers.forEach(({ show }) => show());
    asked.draw("At which mean squared distance do the runs stop coming nearer?");
  }

  return figure.show(
    asked.element,
    html("div", { class: "floor" }, picture, facts.element),
    transport.element,
    html("div", { class: "ground" }, ...levers.map(({ element }) => element)),
  );
}

mount(FIGURE, check, build);
