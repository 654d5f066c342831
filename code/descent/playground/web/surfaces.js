// The surfaces of descent.tasks.problems: each makes { value(x, y), gradient(x, y) }.

function quadratic([first, second], angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = (x, y) => [cos * x + sin * y, cos * y - sin * x];
  return {
    curvatures: [first, second],
    angle,
    value(x, y) {
      const [a, b] = along(x, y);
      return 0.5 * (first * a * a + second * b * b);
    },
    gradient(x, y) {
      const [a, b] = along(x, y);
      return Float64Array.of(
        cos * first * a - sin * second * b,
        sin * first * a + cos * second * b,
      );
    },
  };
}

function saddle() {
  return {
    value: (x, y) => 0.5 * x * x - 0.5 * y * y + 0.25 * y ** 4,
    gradient: (x, y) => Float64Array.of(x, y ** 3 - y),
  };
}

function rosenbrock() {
  return {
    value: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: (x, y) =>
      Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
  };
}

function beale() {
  const parts = (x, y) => [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3];
  return {
    value: (x, y) => parts(x, y).reduce((sum, part) => sum + part * part, 0),
    gradient(x, y) {
      const [a, b, c] = parts(x, y);
      return Float64Array.of(
        2 * (a * (y - 1) + b * (y ** 2 - 1) + c * (y ** 3 - 1)),
        2 * x * (a + 2 * b * y + 3 * c * y ** 2),
      );
    },
  };
}

const radians = (degrees) => (degrees * Math.PI) / 180;

// By the name that the figures print; each takes the state of the figure.
export const SURFACES = {
  bowl: ({ kappa }) => quadratic([1, kappa], 0),
  "turned ravine": ({ kappa, angle }) => quadratic([1, kappa], radians(angle)),
  "noisy bowl": ({ kappa, angle }) => quadratic([1, kappa], radians(angle)),
  saddle,
  Rosenbrock: rosenbrock,
  Beale: beale,
};
