// The racers: which optimizer each is, its hyperparameters, and the numbers of its current step.

import { button, checkbox, select, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { html, swatch } from "./elements.js";
import { checkedOptions } from "./link.js";
import { numbersOf, numbersTable } from "./update.js";

export const MOST = 3;
const FIRST = ["lr", "momentum", "betas", "alpha"];
const SNAP = 0.02;

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

// `change(racers)` takes other racers; `shown(index)` is one's run and the step shown of it; `limit()` is
// the rate of gradient descent at which its slider snaps, or null.
export function lanes({ root, racers, change, shown, limit }) {
  const element = html("div", { class: "racers" });
  let shows = [];
  let lined = "";
  const changeOne = (index, racer) => change(racers().map((each, k) => (k === index ? racer : each)));
  const changeRacer = (index, changes) => changeOne(index, { ...racers()[index], ...changes });

  function draw() {
    const now = racers().map(({ optimizer }) => optimizer).join();
    if (now !== lined) {
      lined = now;
      const focused = root.activeElement?.dataset.name;
      shows = [];
      element.replaceChildren(...racers().map(lane), ...(racers().length < MOST ? [adding()] : []));
      if (focused && !root.activeElement) root.querySelector(`[data-name="${focused}"]`)?.focus();
    }
    shows.forEach((show) => show());
  }

  function adding() {
    return button("Add an optimizer", "add", () => {
      const { optimizer, ...options } = another(racers());
      change([...racers(), { optimizer, ...checkedOptions(optimizer, options) }]);
    }, { class: "adding" });
  }

  function lane({ optimizer }, index) {
    const { color, dash, hyperparameters } = DESCRIPTION.optimizers[optimizer];
    const named = (name) => `${name}-${index}`;
    const choosing = select({
      label: `Optimizer ${index + 1}`,
      name: named("optimizer"),
      choices: Object.keys(DESCRIPTION.optimizers),
      get: () => racers()[index].optimizer,
      set: (name) => changeOne(index, { optimizer: name, ...checkedOptions(name, { lr: racers()[index].lr }) }),
    });
    const controls = hyperparameters.flatMap((each) => lever(each, index, named));
    shows.push(choosing.show, ...controls.map(({ show }) => show));
    const [first, more] = [controls.filter((each) => each.first), controls.filter((each) => !each.first)];
    const table = numbersTable();
    shows.push(() => {
      const { steps, options, at } = shown(index);
      table.draw(numbersOf(steps, at, options, optimizer), at);
    });
    const removing = button("×", named("remove"), () => change(racers().filter((_, k) => k !== index)), {
      class: "plain removing",
      "aria-label": `Remove optimizer ${index + 1}`,
    });
    return html(
      "section",
      { class: "racer", "aria-label": `Optimizer ${index + 1}` },
      html(
        "div",
        { class: "levers" },
        html("div", { class: "heading" }, swatch(color, dash), choosing.element, ...(racers().length > 1 ? [removing] : [])),
        ...first.map((each) => each.element),
        ...(more.length
          ? [html("details", {}, html("summary", {}, "All it takes"), ...more.map((each) => each.element))]
          : []),
      ),
      table.element,
    );
  }

  // One control for a hyperparameter, or one for each of its numbers.
  function lever(each, index, named) {
    const first = FIRST.includes(each.name);
    const label = each.symbol ? `${each.symbol}, ${each.name}` : each.name;
    const get = () => racers()[index][each.name];
    if (each.kind === "flag") {
      const name = named(each.name);
      const set = (value) => changeRacer(index, { [each.name]: value });
      const disabled = () =>
        each.name === "nesterov" && (!racers()[index].momentum || Boolean(racers()[index].dampening));
      return [{ first, ...checkbox({ label: each.name, name, get, set, disabled }) }];
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
    const marked = each.name === "lr" && racers()[index].optimizer === "gradient descent";
    const mark = () => (marked ? limit() : null);
    const set = (value) => {
      const racer = { ...racers()[index], [each.name]: value };
      // Nesterov's form needs momentum and no dampening, and goes where they go.
      if (racer.nesterov && (!racer.momentum || racer.dampening)) racer.nesterov = false;
      changeOne(index, racer);
    };
    const snap = (value) => (mark() && Math.abs(value / mark() - 1) < SNAP ? mark() : value);
    const says = (value, text) => (value === mark() ? `${text}, which is 2/L` : text);
    return [{ first, ...slider({ label, name: named(each.name), range: each, get, set, snap, says, mark }) }];
  }

  return { element, draw };
}
