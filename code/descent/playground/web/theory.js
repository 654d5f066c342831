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
  const losses = new Array(rates.length + 1).fill(0);
  let left = 0;
  for (const curvature of curvatures) {
    let [square, start] = [1, 1];
    losses[0] += 0.5 * curvature;
    rates.forEach((lr, step) => {
      const keep = (1 - lr * curvature) ** 2;
      square = keep * square + lr * lr * variance;
      start *= keep;
      losses[step + 1] += 0.5 * curvature * square;
    });
    left += 0.5 * curvature * start;
  }
  return { losses, start: left };
}

const SWEEPS = 40;

// The rates that end with the least expected loss: each is what `lrd-best` says for the others, from
// the last to the first, until none moves the loss by more than it is rounded.
export function bestRates(curvatures, variance, numSteps) {
  const count = curvatures.length;
  const lambda = Float64Array.from(curvatures);
  const rates = Array.from({ length: numSteps }, (_, step) => 1 - step / numSteps);
  const squares = new Float64Array((numSteps + 1) * count).fill(1, 0, count);
  let before = Infinity;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let loss = 0;
    for (let i = 0; i < count; i += 1) {
      let [at, square] = [i, 1];
      for (let step = 0; step < numSteps; step += 1) {
        const keep = 1 - rates[step] * lambda[i];
        square = keep * keep * square + rates[step] * rates[step] * variance;
        at += count;
        squares[at] = square;
      }
      loss += 0.5 * lambda[i] * square;
    }
    if (loss >= before * (1 - 1e-10)) break;
    before = loss;
    const costs = lambda.map((each) => 0.5 * each);
    for (let step = numSteps - 1; step >= 0; step -= 1) {
      let [above, below] = [0, 0];
      for (let i = 0; i < count; i += 1) {
        const square = squares[step * count + i];
        above += costs[i] * lambda[i] * square;
        below += costs[i] * (lambda[i] * lambda[i] * square + variance);
      }
      rates[step] = above / below;
      for (let i = 0; i < count; i += 1) costs[i] *= (1 - rates[step] * lambda[i]) ** 2;
    }
  }
  return rates;
}
