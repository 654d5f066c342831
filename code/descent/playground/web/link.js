// The state of a figure as the text of a link, and back; nothing that a link says is trusted.

import { DESCRIPTION } from "./description.js";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export function refuse(what) {
  throw new Error(what);
}

// What a link may say is shown nowhere: a message names what was expected instead.
function number(name, value, { low = null, high = null, low_included, high_included } = {}) {
  const found = typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
  if (typeof found !== "number" || !Number.isFinite(found)) refuse(`${name} is no number`);
  const below = low !== null && (low_included ? found < low : found <= low);
  const above = high !== null && (high_included ? found > high : found >= high);
  if (below || above) refuse(`${name} is out of its range`);
  return found;
}

function whole(name, value, range) {
  const found = number(name, value, range);
  return Number.isInteger(found) ? found : refuse(`${name} is no whole number`);
}

export function checkedFlag(name, value) {
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : refuse(`${name} is neither true nor false`);
}

function several(name, value, length) {
  const found = typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(found) || found.length !== length) refuse(`${name} is not ${length} numbers`);
  return found;
}

function choice(name, value, choices) {
  return choices.includes(value) ? value : refuse(`${name} is unknown`);
}

export function checkedOptions(optimizer, given) {
  const { hyperparameters } = DESCRIPTION.optimizers[optimizer];
  const unknown = Object.keys(given).some(
    (name) => !hyperparameters.some((each) => each.name === name),
  );
  if (unknown) refuse(`a hyperparameter of ${optimizer} is unknown`);
  const options = {};
  for (const each of hyperparameters) {
    const value = Object.hasOwn(given, each.name) ? given[each.name] : each.default;
    if (each.kind === "flag") options[each.name] = checkedFlag(each.name, value);
    else if (each.kind === "numbers") {
      const length = each.default.length;
      options[each.name] = several(each.name, value, length).map((one) => number(each.name, one, each));
    } else options[each.name] = number(each.name, value, each);
  }
  if (options.nesterov && (!options.momentum || options.dampening)) {
    refuse("nesterov needs momentum and no dampening");
  }
  return options;
}

export function checkedRacers(given, most) {
  if (!Array.isArray(given) || given.length < 1 || given.length > most) {
    refuse(`there are not one to ${most} optimizers`);
  }
  return given.map(({ optimizer, ...options }) => {
    choice("an optimizer", optimizer, Object.keys(DESCRIPTION.optimizers));
    return { optimizer, ...checkedOptions(optimizer, options) };
  });
}

export function checkedPoint(name, given, window) {
  return several(name, given, 2).map((each, axis) => {
    const [low, high] = window[axis];
    return number(name, each, { low, high, low_included: true, high_included: true });
  });
}

// The step shown, by default the last.
export function checkedStep(given, last, first = 0) {
  const at = Number(given ?? last);
  return Number.isInteger(at) && at >= first && at <= last ? at : refuse("there is no such step");
}

// So many numbers, each in the range.
export function checkedRow(name, given, length, range) {
  return several(name, given, length).map((each) => number(name, each, range));
}

// The numbers and choices that a figure's function in Python takes, within their ranges there.
export function checkedNumbers(figure, given) {
  const found = {};
  for (const [name, each] of Object.entries(DESCRIPTION.figures[figure])) {
    const value = Object.hasOwn(given, name) ? given[name] : each.default;
    if (each.choices) found[name] = choice(name, value, each.choices);
    else found[name] = each.whole ? whole(name, value, each) : number(name, value, each);
  }
  return found;
}

function compact(value) {
  return Array.isArray(value) ? value.join(",") : String(value);
}

const changes = ({ optimizer, ...options }) =>
  DESCRIPTION.optimizers[optimizer].hyperparameters
    .filter((each) => compact(options[each.name]) !== compact(each.default))
    .map(({ name }) => [name, options[name]]);

// A racer is its name and then what differs from the defaults: `Adam;lr:0.1;betas:0.9,0.99`.
function packed(racer) {
  const pairs = changes(racer).map(([name, value]) => `${name}:${compact(value)}`);
  return [racer.optimizer, ...pairs].join(";");
}

function unpacked(text) {
  const [optimizer, ...pairs] = text.split(";");
  return { ...Object.fromEntries(pairs.map((pair) => pair.split(":", 2))), optimizer };
}

export function asLink(figure, state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (name === "racers") value.forEach((racer) => query.append("racer", packed(racer)));
    else query.append(name, compact(value));
  }
  return `#${figure}?${query}`;
}

// What a link says of a figure, unchecked, or null where it says nothing.
export function fromLink(figure, hash) {
  const head = `#${figure}?`;
  if (!hash.startsWith(head)) return null;
  const query = new URLSearchParams(hash.slice(head.length));
  const found = {};
  for (const name of new Set(query.keys())) {
    if (name === "racer") found.racers = query.getAll(name).map(unpacked);
    else found[name] = query.get(name);
  }
  return found;
}

function asPython(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `(${value.map(asPython).join(", ")})`;
  return typeof value === "string" ? `"${value}"` : String(value);
}

// The call that makes the same figure in a notebook, which begins with all its steps.
export function asCall(figure, { racers, at: _, ...state }) {
  const given = Object.entries(state).map(([name, value]) => `${name}=${asPython(value)}`);
  if (racers) {
    const pairs = racers.map((racer) => {
      const options = changes(racer).map(([name, value]) => `"${name}": ${asPython(value)}`);
      return `("${racer.optimizer}", {${options.join(", ")}})`;
    });
    given.push(`racers=[${pairs.join(", ")}]`);
  }
  return `descent.playground.${figure}(${given.join(", ")})`;
}
