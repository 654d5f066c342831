// The loss at each step, on a logarithmic scale.

import { DESCRIPTION } from "./description.js";
import { dashes, html, powerOfTen, setAttributes, svg } from "./elements.js";

const [WIDTH, HEIGHT] = [320, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 8, 8, 24];
const MOST = 3;
const DECADES = 14; // that are told apart at most

export function lossChart() {
  const grid = svg("g", { class: "grid" });
  const lines = Array.from({ length: MOST }, () => svg("polyline", { class: "path" }));
  const now = svg("path", { class: "now" });
  const element = html(
    "figure",
    {},
    html("figcaption", { class: "title" }, "Loss"),
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The loss at each step, logarithmic" },
      grid, now, ...lines,
    ),
  );
  let scaled = "";
  let drawn = null;
  let points = [];

  function draw(runs, { num_steps, at }) {
    const losses = runs.flatMap(({ steps }) => steps.map(({ loss }) => loss));
    const begin = Math.log10(Math.max(runs[0].steps[0].loss, 1e-12));
    const most = losses.reduce((a, b) => Math.max(a, b), 1e-300);
    const least = losses.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), 1e300);
    const high = Math.ceil(Math.min(Math.log10(most), begin + 3));
    const low = Math.max(Math.floor(Math.min(Math.log10(least), begin - 3)), high - DECADES);
    const x = (step) => LEFT + (step / num_steps) * (WIDTH - LEFT - RIGHT);
    const y = (loss) => {
      const decade = Math.log10(Math.max(loss, 1e-300));
      const part = (high - decade) / (high - low);
      return TOP + Math.min(Math.max(part, -1), 2) * (HEIGHT - TOP - BOTTOM);
    };
    const scale = [high, low, num_steps].join();
    const changed = scale !== scaled;
    if (changed) {
      scaled = scale;
      const every = Math.ceil((high - low) / 5);
      const marks = Array.from({ length: high - low + 1 }, (_, k) => low + k).filter((k) => (k - low) % every === 0);
      grid.replaceChildren(
        ...marks.flatMap((decade) => [
          svg("path", { d: `M${LEFT} ${y(10 ** decade)}H${WIDTH - RIGHT}` }),
          svg("text", { x: LEFT - 6, y: y(10 ** decade) + 4, "text-anchor": "end" }, powerOfTen(decade)),
        ]),
        svg("text", { x: LEFT, y: HEIGHT - 6 }, "0"),
        svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `${num_steps} steps`),
      );
    }
    if (drawn !== runs || changed) {
      drawn = runs;
      points = runs.map(({ steps }) =>
        steps.map(({ loss }, step) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`),
      );
    }
    lines.forEach((line, index) => {
      const one = runs[index];
      line.style.display = one ? "" : "none";
      if (!one) return;
      const { color, dash } = DESCRIPTION.optimizers[one.optimizer];
      setAttributes(line, {
        points: points[index].slice(0, Math.round(at) + 1).join(" "),
        stroke: color,
        "stroke-dasharray": dashes(dash),
      });
    });
    setAttributes(now, { d: `M${x(at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}` });
  }
  return { element, draw };
}
