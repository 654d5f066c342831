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

// sgd_floor of the chapter on stochastic gradient descent, at curvature 1.
export const sgdFloor = (lr, variance, batchSize) => (lr * variance) / (batchSize * (2 - lr));

// sgd_schedule_mean_square at curvature 1: the expected squares of a run, and of the average of its
// iterates so far, which sgd_average_mean_square has in closed form where the rate is constant.
export function expectedSquares(start, rates, variance, batchSize) {
  let [square, product, sum] = [start * start, 0, 0]; // of θ with itself, with the sum, of the sum
  const found = [{ run: square, average: square }];
  rates.forEach((lr, step) => {
    const keep = 1 - lr;
    sum += 2 * product + square;
    product = keep * (product + square);
    square = keep * keep * square + (lr * lr * variance) / batchSize;
    found.push({ run: square, average: sum / (step + 1) ** 2 });
  });
  return found;
}
