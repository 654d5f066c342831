// Momentum's plane: the rate times the curvature to the right, the momentum upwards.

import { handle, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { digits, factList, html, setAttributes, svg } from "./elements.js";
import { checkedNumbers } from "./link.js";
import { mount } from "./mount.js";
import { questionBlock } from "./question.js";
import { follow } from "./run.js";
import { shell } from "./shell.js";
import { behaviour, criticalMomentum, heavyBallFactor, heavyBallRoots } from "./theory.js";

const FIGURE = "momentum";
const RANGES = DESCRIPTION.figures[FIGURE];
const [WIDTH, HEIGHT] = [480, 300];
const WINDOW = [[0, RANGES.product.last], [0, 1]];
const STEPS = 50;
const { color } = DESCRIPTION.optimizers.SGD;
const [PATH_WIDTH, PATH_HEIGHT] = [320, 120];

const place = (product, momentum) => [
  (product / WINDOW[0][1]) * WIDTH,
  (1 - momentum) * HEIGHT,
];
const at = (product, momentum) => place(product, momentum).map((each) => each.toFixed(1)).join(" ");

// The regions, whose borders are criticalMomentum and the line β = ηλ/2 - 1.
function regions() {
  const curve = (first, last) =>
    Array.from({ length: 61 }, (_, k) => first + (k / 60) * (last - first)).map((product) =>
      at(product, criticalMomentum(product)),
    );
  const [corner, edge] = [at(0, 1), at(WINDOW[0][1], 1)];
  return {
    creeps: `M${[at(0, 0), ...curve(0, 1)].join("L")}Z`,
    swings: `M${curve(0, 4).join("L")}L${corner}Z`,
    hops: `M${[...curve(1, 4), at(2, 0)].join("L")}Z`,
    diverges: `M${[at(2, 0), at(4, 1), edge, at(WINDOW[0][1], 0)].join("L")}Z`,
  };
}
const WORDS = { creeps: [0.32, 0.04], swings: [1, 0.55], hops: [1.62, 0.1], diverges: [3.4, 0.3] };

function build(root, host, initial) {
  const guess = { momentum: 0.5 };
  const figure = shell({
    root, host, initial, draw,
    figure: FIGURE,
    title: "momentum's plane",
    summary: () => `The ball ${words()}, by a factor of ${digits(factor())} a step.`,
  });
  const factor = () => heavyBallFactor(figure.state().product, figure.state().momentum);
  const words = () => behaviour(figure.state().product, figure.state().momentum);

  // The plane
  const borders = svg(
    "g",
    { class: "regions" },
    ...Object.entries(regions()).flatMap(([name, d]) => {
      const [x, y] = place(...WORDS[name]);
      return [svg("path", { d, class: name }), svg("text", { x, y }, name)];
    }),
  );
  const axes = svg(
    "g",
    { class: "grid" },
    ...[1, 2, 3, 4].map((each) => svg("text", { x: place(each, 0)[0], y: HEIGHT - 6, "text-anchor": "middle" }, each)),
    ...[0.25, 0.5, 0.75].map((each) => svg("text", { x: 6, y: place(0, each)[1] + 4 }, each)),
    svg("text", { x: WIDTH - 6, y: HEIGHT - 24, "text-anchor": "end" }, "ηλ"),
    svg("text", { x: 6, y: 16 }, "β"),
  );
  const plane = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The plane of rate times curvature, and momentum" },
    borders, axes,
  );
  const frame = html("div", { class: "map" }, plane);
  const point = handle({
    label: "Rate times curvature, and momentum",
    name: "point",
    window: () => [WINDOW[0], [0, 0.999]],
    frame,
    extent: () => WINDOW,
    get: () => [figure.state().product, figure.state().momentum],
    set: ([product, momentum]) => figure.change({ product, momentum }),
  });
  point.element.classList.add("full");
  frame.append(point.element);

  // The roots and the ball
  const roots = [0, 1].map(() => svg("circle", { class: "head", r: 0.07, fill: color }));
  const reach = svg("circle", { class: "reach" });
  const circle = svg(
    "svg",
    { viewBox: "-1.35 -1.2 2.7 2.4", role: "img", "aria-label": "The two roots and the unit circle" },
    svg("circle", { class: "unit", r: 1 }), svg("path", { class: "cross", d: "M-1.3 0H1.3M0-1.15V1.15" }), reach, ...roots,
  );
  const ball = svg("polyline", { class: "path", stroke: color });
  const envelope = svg("path", { class: "envelope" });
  const motion = svg(
    "svg",
    { viewBox: `0 0 ${PATH_WIDTH} ${PATH_HEIGHT}`, role: "img", "aria-label": "The ball's distance, step by step" },
    svg("path", { class: "cross", d: `M0 ${PATH_HEIGHT / 2}H${PATH_WIDTH}` }), envelope, ball,
  );
  const numbers = factList();

  function drawBall() {
    const parabola = { value: (x) => 0.5 * x * x, gradient: (x) => Float64Array.of(x) };
    const { product: lr, momentum } = figure.state();
    const options = { lr, momentum, dampening: 0, weight_decay: 0, nesterov: false };
    const steps = follow("SGD", parabola, [1], options, STEPS);
    const x = (step) => (4 + (step / STEPS) * (PATH_WIDTH - 8)).toFixed(1);
    const y = (value) => (PATH_HEIGHT / 2 - Math.min(Math.max(value, -3), 3) * PATH_HEIGHT * 0.42).toFixed(1);
    setAttributes(ball, { points: steps.map(({ param }, step) => `${x(step)},${y(param[0])}`).join(" ") });
    const bound = (sign) => steps.map((_, step) => `${x(step)} ${y(sign * factor() ** step)}`).join("L");
    setAttributes(envelope, { d: `M${bound(1)}M${bound(-1)}` });
  }

  function drawRoots() {
    const found = heavyBallRoots(figure.state().product, figure.state().momentum);
    found.forEach(([cx, cy], k) => setAttributes(roots[k], { cx, cy: -cy }));
    setAttributes(reach, { r: factor() });
    const shrinks = factor() < 1 && factor() > 0;
    const root = ([real, imaginary]) =>
      imaginary ? `${digits(real)} ${imaginary < 0 ? "−" : "+"} ${digits(Math.abs(imaginary))} i` : digits(real);
    numbers.draw([
      ["The ball", words()],
      ["Factor per step", digits(factor())],
      ["Steps to a tenth", shrinks ? digits(Math.log(10) / -Math.log(factor())) : factor() === 0 ? "1" : "never"],
      ["Roots", found.map(root).join(",  ")],
    ]);
  }

  const asked = questionBlock({
    guessing: slider({
      label: "My guess: β",
      name: "guess",
      range: RANGES.momentum,
      get: () => guess.momentum,
      set: (momentum) => {
        guess.momentum = momentum;
        figure.redraw();
      },
    }),
    proof: host.dataset.proof,
    place: "the chapter on momentum",
    onAnswer: figure.redraw,
    answer(guessed) {
      const { product } = figure.state();
      const best = criticalMomentum(product);
      const least = digits(heavyBallFactor(product, best));
      const below = product < 1 ? "creeping" : "hopping";
      const truth = `(1 − √ηλ)² = ${digits(best)}, on the border between ${below} and swinging: a factor of ${least} a step.`;
      if (!guessed) return truth;
      return `${truth} Your guess, ${digits(guess.momentum)}, has ${digits(heavyBallFactor(product, guess.momentum))}.`;
    },
  });

  const levers = [
    figure.number("product", "ηλ, rate times curvature"),
    figure.number("momentum", "β, momentum"),
  ];

  function draw() {
    const { product } = figure.state();
    plane.classList.toggle("hidden-answer", !asked.answered());
    drawBall();
    drawRoots();
    point.show();
    levers.forEach(({ show }) => show());
    const answerable = product > 0 && product < 4;
    asked.draw(
      answerable
        ? `At ηλ = ${digits(product)}, which momentum brings the ball to rest soonest?`
        : "From ηλ = 4 on, and at 0, no momentum brings the ball to rest.",
      answerable,
    );
  }

  return figure.show(
    asked.element,
    html(
      "div",
      { class: "stage" },
      frame,
      html("div", { class: "side roots" }, circle, numbers.element),
    ),
    html("div", { class: "ground wide" }, ...levers.map(({ element }) => element)),
    html("div", { class: "motion" }, html("p", { class: "title" }, `The ball, ${STEPS} steps from rest; dashed: the factor's power`), motion),
  );
}

mount(FIGURE, (raw) => checkedNumbers(FIGURE, raw), build);
