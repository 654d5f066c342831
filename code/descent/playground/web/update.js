// The numbers of one step, in the letters of the book.

import { DESCRIPTION } from "./description.js";
import { digits, html, setText } from "./elements.js";

const LETTERS = {
  momentum_buffer: "buffer b",
  exp_avg: "average m",
  exp_avg_sq: "squares v",
  max_exp_avg_sq: "largest v",
  square_avg: "squares v",
  grad_avg: "mean g",
  sum: "sum s",
  exp_inf: "largest u",
  mu_product: "product Π",
};

// Rows of a label and one number, or one for each coordinate; before the first step most have none.
export function numbersOf(steps, at, options, optimizer) {
  const { param, loss } = steps[at];
  const rows = [["at θ", ...param], ["loss", loss]];
  if (steps.length === 1) return rows;
  const { grad, state } = steps[Math.max(at, 1)];
  const later = [["slope g", ...grad]];
  for (const { name, of } of DESCRIPTION.optimizers[optimizer].state) {
    if (!(name in state) || name === "step") continue;
    later.push([LETTERS[name], ...(of === "element" ? state[name] : [state[name]])]);
  }
  if (options.betas) {
    const [beta1, beta2] = options.betas;
    later.push(["1 − β₁ᵗ", 1 - beta1 ** at]);
    if ("exp_avg_sq" in state) later.push(["1 − β₂ᵗ", 1 - beta2 ** at]);
  }
  const before = steps[Math.max(at - 1, 0)].param;
  later.push(["step", ...param.map((each, axis) => each - before[axis])]);
  const empty = later.map(([label, ...values]) => [label, ...values.map(() => null)]);
  return [...rows, ...(at ? later : empty)];
}

// A table of such rows; while the labels stay, only its numbers are changed.
export function numbersTable() {
  const caption = html("caption");
  const body = html("tbody");
  const element = html("table", {}, caption, body);
  let labels = "";
  let cells = [];
  const draw = (rows, at) => {
    setText(caption, at ? `In step ${at}` : "Before the first step");
    const now = rows.map(([label]) => label).join();
    if (now !== labels) {
      labels = now;
      cells = rows.map((row) => row.slice(1).map(() => html("td", { colspan: 4 - row.length })));
      body.replaceChildren(
        ...rows.map(([label], k) => html("tr", {}, html("th", { scope: "row" }, label), ...cells[k])),
      );
    }
    rows.forEach(([, ...values], k) =>
      values.forEach((value, i) => setText(cells[k][i], value === null ? "·" : digits(value))),
    );
  };
  return { element, draw };
}
