// Closed forms of the chapter on momentum, for one parameter: `product` is ηλ.

// The roots of r² - (1 + β - ηλ) r + β, each as its real and imaginary part, the larger one first.
export function heavyBallRoots(product, momentum) {
  const trace = 1 + momentum - product;
  const inside = trace * trace - 4 * momentum;
  if (inside < 0) {
    const imaginary = Math.sqrt(-inside) / 2;
    return [[trace / 2, imaginary], [trace / 2, -imaginary]];
  }
  const larger = (trace + (trace < 0 ? -1 : 1) * Math.sqrt(inside)) / 2;
  return [[larger, 0], [larger === 0 ? 0 : momentum / larger, 0]];
}

// heavy_ball_rate, which without momentum is |1 - ηλ|, the factor of gradient descent.
export function heavyBallFactor(product, momentum) {
  return Math.hypot(...heavyBallRoots(product, momentum)[0]);
}

// heavy_ball_critical_momentum, for ηλ in [0, 4].
export const criticalMomentum = (product) => (1 - Math.sqrt(product)) ** 2;

// What the ball does: it diverges from heavy_ball_max_lr on, and swings where the roots are complex.
export function behaviour(product, momentum) {
  if (product === 0) return "stands";
  if (product >= 2 * (1 + momentum)) return "diverges";
  const [[larger, imaginary]] = heavyBallRoots(product, momentum);
  if (imaginary) return "swings";
  return larger < 0 ? "hops" : "creeps";
}
