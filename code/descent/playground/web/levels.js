// Level lines of a surface, as the path of an SVG in units of the frame.

const [COLUMNS, ROWS] = [110, 80];

// A bowl's are ellipses, and exact.
export function ellipses({ curvatures, angle }, place, levels) {
  const points = 72;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return levels
    .map((level) => {
      const [first, second] = curvatures.map((each) => Math.sqrt((2 * level) / each));
      const ring = Array.from({ length: points }, (_, k) => {
        const turn = (2 * Math.PI * k) / points;
        const [a, b] = [first * Math.cos(turn), second * Math.sin(turn)];
        return place(cos * a - sin * b, sin * a + cos * b).map((each) => each.toFixed(1)).join(" ");
      });
      return `M${ring.join("L")}Z`;
    })
    .join("");
}

// Elsewhere they are found cell by cell: where a level lies between two corners, it crosses there.
export function crossings(surface, [[left, right], [bottom, top]], place, levels) {
  const xs = Array.from({ length: COLUMNS + 1 }, (_, i) => left + (i / COLUMNS) * (right - left));
  const ys = Array.from({ length: ROWS + 1 }, (_, j) => bottom + (j / ROWS) * (top - bottom));
  const values = ys.map((y) => Float64Array.from(xs, (x) => surface.value(x, y)));
  const parts = [];
  for (const level of levels) {
    for (let j = 0; j < ROWS; j += 1) {
      for (let i = 0; i < COLUMNS; i += 1) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const cuts = [];
        for (let k = 0; k < 4; k += 1) {
          const [[i0, j0], [i1, j1]] = [corners[k], corners[(k + 1) % 4]];
          const [from, to] = [values[j0][i0], values[j1][i1]];
          if (from < level === to < level) continue;
          const part = (level - from) / (to - from);
          const x = xs[i0] + part * (xs[i1] - xs[i0]);
          const y = ys[j0] + part * (ys[j1] - ys[j0]);
          cuts.push(place(x, y).map((each) => each.toFixed(1)).join(" "));
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) parts.push(`M${cuts[k]}L${cuts[k + 1]}`);
      }
    }
  }
  return parts.join("");
}
