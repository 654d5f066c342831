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

// Closed forms of the chapter on Adam, with an ε of 0; lengths of steps are over the rate.

const emaMass = (beta, step) => 1 - beta ** step;

export const adamUncorrectedStep = (beta1, beta2, step) =>
  emaMass(beta1, step) / emaMass(beta2, step) ** 0.5;

export const adamBurstStep = (beta1, beta2, silence, repeats) =>
  adamUncorrectedStep(beta1, beta2, repeats) / adamUncorrectedStep(beta1, beta2, silence + repeats);

// adam_max_step for all steps, or null where there is no bound.
export function adamMaxStep(beta1, beta2) {
  const ratio = beta1 ** 2 / beta2;
  return ratio < 1 ? (1 - beta1) * (1 / ((1 - beta2) * (1 - ratio))) ** 0.5 : null;
}

// rotated_kappa of the chapter on RMSprop; the angle is in radians.
export function rotatedKappa(kappa, angle) {
  const mixed = 0.5 * (kappa - 1) * Math.abs(Math.sin(2 * angle));
  return (Math.sqrt(mixed ** 2 + kappa) + mixed) ** 2 / kappa;
}

// The recursion of the chapter on decay, on a bowl from a start of 1 along each axis: the expected
// loss before the first and after each step, and what is left of the start in the last of them.
export function expectedLosses(rates, curvatures, variance) {
  const squares = new Float64Array(curvatures.length).fill(1);
  const starts = squares.slice();
  const loss = (of) => of.reduce((sum, each, i) => sum + 0.5 * curvatures[i] * each, 0);
  const losses = [loss(squares)];
  for (const lr of rates) {
    curvatures.forEach((curvature, i) => {
      const keep = (1 - lr * curvature) ** 2;
      squares[i] = keep * squares[i] + lr ** 2 * variance;
      starts[i] *= keep;
    });
    losses.push(loss(squares));
  }
  return { losses, start: loss(starts) };
}

const SWEEPS = 40;

// The rates that end with the least expected loss: each is what `lrd-best` says for the others, from
// the last to the first, until none moves the loss by more than it is rounded.
export function bestRates(curvatures, variance, numSteps) {
  const count = curvatures.length;
  const rates = Array.from({ length: numSteps }, (_, step) => 1 - step / numSteps);
  let before = Infinity;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const { losses } = expectedLosses(rates, curvatures, variance);
    if (losses.at(-1) >= before * (1 - 1e-12)) break;
    before = losses.at(-1);
    const squares = [new Float64Array(count).fill(1)];
    rates.forEach((lr, step) =>
      squares.push(squares[step].map((each, i) => (1 - lr * curvatures[i]) ** 2 * each + lr ** 2 * variance)),
    );
    const costs = curvatures.map((each) => 0.5 * each);
    for (let step = numSteps - 1; step >= 0; step -= 1) {
      let [above, below] = [0, 0];
      for (let i = 0; i < count; i += 1) {
        above += costs[i] * curvatures[i] * squares[step][i];
        below += costs[i] * (curvatures[i] ** 2 * squares[step][i] + variance);
      }
      rates[step] = above / below;
      for (let i = 0; i < count; i += 1) costs[i] *= (1 - rates[step] * curvatures[i]) ** 2;
    }
  }
  return rates;
}
