// Axes with marks, and what is drawn between them.

import { html, setAttributes, svg } from "./elements.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [38, 10, 10, 22];
const BEYOND = 1.04; // of the axis, from which on what is out of the picture is cut off

// `children` are drawn over the grid. Both axes are linear; a logarithmic one is given logarithms.
export function plot({ title, label, width = 480, height = 150, children }) {
  const grid = svg("g", { class: "grid" });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    grid, ...children,
  );
  const frame = html("div", { class: "plot" }, picture);
  const element = html("figure", {}, html("figcaption", {}, title), frame);
  let [[left, right], [low, high]] = [[0, 1], [0, 1]];
  let scaled = "";

  const x = (value) => LEFT + ((value - left) / (right - left)) * (width - LEFT - RIGHT);
  const y = (value) => {
    const part = Math.min(Math.max((value - low) / (high - low), 1 - BEYOND), BEYOND);
    return TOP + (1 - part) * (height - TOP - BOTTOM);
  };
  const at = (across, up) => `${x(across).toFixed(1)} ${y(up).toFixed(1)}`;

  // Where the axes begin and end, and where they are marked: pairs of a value and what is written.
  function scale(across, up, { across: below, up: beside }) {
    const now = JSON.stringify([across, up]);
    if (now === scaled) return;
    scaled = now;
    [[left, right], [low, high]] = [across, up];
    grid.replaceChildren(
      ...beside.flatMap(([value, text]) => [
        svg("path", { d: `M${LEFT} ${y(value)}H${width - RIGHT}` }),
        svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text),
      ]),
      ...below.map(([value, text]) => {
        const anchor = value === left ? "start" : value === right ? "end" : "middle";
        return svg("text", { x: x(value), y: height - 6, "text-anchor": anchor }, text);
      }),
    );
  }

  // What the whole picture shows, the margins with it.
  function extent() {
    const [across, up] = [(right - left) / (width - LEFT - RIGHT), (high - low) / (height - TOP - BOTTOM)];
    return [[left - LEFT * across, right + RIGHT * across], [low - BOTTOM * up, high + TOP * up]];
  }

  return {
    element, frame, x, y, at, scale, extent,
    // A path through values that are one apart, the first of them at `from`.
    line: (values, from = 0) => (values.length ? `M${values.map((value, k) => at(from + k, value)).join("L")}` : ""),
    // A level from edge to edge, or from one place to another.
    level: (value, from = left, to = right) => `M${at(from, value)}H${x(to).toFixed(1)}`,
  };
}

// What each line is.
export function key(...items) {
  const parts = items.map(([line, text]) => html("span", {}, line, " ", text));
  return html("p", { class: "key" }, ...parts);
}

export const setPath = (path, d) => setAttributes(path, { d });
