// The update rules of descent.optim, one by one:
// rule(param, grad, state, options) -> [param, state], on Float64Arrays, and nothing is changed.
// Hyperparameters and state keep the names they have in Python. Operations are rounded as there.

// A loop without a list of arguments, which would take most of the time of a step.
function map(f, first, second, third) {
  const made = new Float64Array(first.length);
  for (let i = 0; i < made.length; i += 1) made[i] = f(first[i], second?.[i], third?.[i]);
  return made;
}
const zeros = (param) => new Float64Array(param.length);

const add = (new_, keep, old) => map((a, b) => a + keep * b, new_, old);
const descend = (param, lr, along, over) =>
  over
    ? map((p, a, o) => p - lr * (a / o), param, along, over)
    : map((p, a) => p - lr * a, param, along);
const average = (old, new_, keep) => {
  const weight = 1 - keep;
  return weight < 0.5
    ? map((a, b) => a + weight * (b - a), old, new_)
    : map((a, b) => b - (b - a) * (1 - weight), old, new_);
};
const averageOfSquares = (old, new_, keep) =>
  map((a, b) => keep * a + (1 - keep) * b * b, old, new_);
const correction = (keep, step) => 1 - keep ** step;
const root = (squares, eps) => map((each) => Math.sqrt(each) + eps, squares);

function regularized(param, grad, { lr, weight_decay, maximize, decoupled }) {
  if (maximize) grad = map((g) => -g, grad);
  if (weight_decay && decoupled) param = map((p) => p * (1 - lr * weight_decay), param);
  else if (weight_decay) grad = add(grad, weight_decay, param);
  return [param, grad];
}

function started(state, param, ...names) {
  const lacking = Object.fromEntries(names.map((name) => [name, zeros(param)]));
  return { step: 0, ...lacking, ...state };
}

function gradientDescent(param, grad, state, { lr }) {
  return [descend(param, lr, grad), state];
}

function sgd(param, grad, state, options) {
  const { lr, momentum, dampening, nesterov } = options;
  [param, grad] = regularized(param, grad, options);
  if (momentum) {
    const old = state.momentum_buffer;
    const fresh = dampening && old ? map((g) => (1 - dampening) * g, grad) : grad;
    const buffer = old ? add(fresh, momentum, old) : grad;
    state = { momentum_buffer: buffer };
    grad = nesterov ? add(grad, momentum, buffer) : buffer;
  }
  return [descend(param, lr, grad), state];
}

function adagrad(param, grad, state, options) {
  const { lr, lr_decay, initial_accumulator_value, eps } = options;
  [param, grad] = regularized(param, grad, options);
  const begun = { step: 0, sum: zeros(param).fill(initial_accumulator_value), ...state };
  const step = begun.step + 1;
  const sum = map((s, g) => s + g * g, begun.sum, grad);
  const rate = lr / (1 + (step - 1) * lr_decay);
  return [descend(param, rate, grad, root(sum, eps)), { step, sum }];
}

function rmsprop(param, grad, state, options) {
  const { lr, alpha, eps, momentum, centered } = options;
  [param, grad] = regularized(param, grad, options);
  state = started(state, param, "square_avg");
  let square_avg = averageOfSquares(state.square_avg, grad, alpha);
  state = { ...state, step: state.step + 1, square_avg };
  if (centered) {
    const grad_avg = average(started(state, param, "grad_avg").grad_avg, grad, alpha);
    state = { ...state, grad_avg };
    square_avg = map((s, g) => s - g * g, square_avg, grad_avg);
  }
  const denom = root(square_avg, eps);
  if (!momentum) return [descend(param, lr, grad, denom), state];
  const old = started(state, param, "momentum_buffer").momentum_buffer;
  const momentum_buffer = add(map((g, d) => g / d, grad, denom), momentum, old);
  return [descend(param, lr, momentum_buffer), { ...state, momentum_buffer }];
}

function adam(param, grad, state, options) {
  const { lr, betas: [beta1, beta2], eps, amsgrad, decoupled_weight_decay } = options;
  [param, grad] = regularized(param, grad, { ...options, decoupled: decoupled_weight_decay });
  state = started(state, param, "exp_avg", "exp_avg_sq");
  const step = state.step + 1;
  const exp_avg = average(state.exp_avg, grad, beta1);
  let exp_avg_sq = averageOfSquares(state.exp_avg_sq, grad, beta2);
  state = { ...state, step, exp_avg, exp_avg_sq };
  if (amsgrad) {
    const { max_exp_avg_sq } = started(state, param, "max_exp_avg_sq");
    exp_avg_sq = map((a, b) => Math.max(a, b), max_exp_avg_sq, exp_avg_sq);
    state = { ...state, max_exp_avg_sq: exp_avg_sq };
  }
  const scale = correction(beta2, step) ** 0.5;
  const denom = map((v) => Math.sqrt(v) / scale + eps, exp_avg_sq);
  return [descend(param, lr / correction(beta1, step), exp_avg, denom), state];
}

function adamw(param, grad, state, options) {
  return adam(param, grad, state, { ...options, decoupled_weight_decay: true });
}

function nadam(param, grad, state, options) {
  const { lr, betas: [beta1, beta2], eps, momentum_decay, decoupled_weight_decay } = options;
  [param, grad] = regularized(param, grad, { ...options, decoupled: decoupled_weight_decay });
  state = started(state, param, "exp_avg", "exp_avg_sq");
  const step = state.step + 1;
  const momentum = (at) => beta1 * (1 - 0.5 * 0.96 ** (at * momentum_decay));
  const [mu, mu_next] = [momentum(step), momentum(step + 1)];
  const product = (state.mu_product ?? 1) * mu;
  const exp_avg = average(state.exp_avg, grad, beta1);
  const exp_avg_sq = averageOfSquares(state.exp_avg_sq, grad, beta2);
  const scale = correction(beta2, step);
  const denom = map((v) => Math.sqrt(v / scale) + eps, exp_avg_sq);
  param = descend(param, (lr * (1 - mu)) / (1 - product), grad, denom);
  param = descend(param, (lr * mu_next) / (1 - product * mu_next), exp_avg, denom);
  // PyTorch keeps the product in single precision.
  return [param, { step, mu_product: Math.fround(product), exp_avg, exp_avg_sq }];
}

function radam(param, grad, state, options) {
  const { lr, betas: [beta1, beta2], eps, decoupled_weight_decay } = options;
  [param, grad] = regularized(param, grad, { ...options, decoupled: decoupled_weight_decay });
  state = started(state, param, "exp_avg", "exp_avg_sq");
  const step = state.step + 1;
  const exp_avg = average(state.exp_avg, grad, beta1);
  const exp_avg_sq = averageOfSquares(state.exp_avg_sq, grad, beta2);
  state = { step, exp_avg, exp_avg_sq };
  const scale = correction(beta2, step);
  const longest = 2 / (1 - beta2) - 1;
  const length = longest - (2 * step * beta2 ** step) / scale;
  const rate = lr / correction(beta1, step);
  if (length <= 5) return [descend(param, rate, exp_avg), state];
  const rectified =
    ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
  const adaptive = rate * (rectified * scale) ** 0.5;
  return [descend(param, adaptive, exp_avg, root(exp_avg_sq, eps)), state];
}

function adamax(param, grad, state, options) {
  const { lr, betas: [beta1, beta2], eps } = options;
  [param, grad] = regularized(param, grad, options);
  state = started(state, param, "exp_avg", "exp_inf");
  const step = state.step + 1;
  const exp_avg = average(state.exp_avg, grad, beta1);
  const exp_inf = map((u, g) => Math.max(beta2 * u, Math.abs(g) + eps), state.exp_inf, grad);
  return [
    descend(param, lr / correction(beta1, step), exp_avg, exp_inf),
    { step, exp_avg, exp_inf },
  ];
}

// By the class's name, which describe() in descent.optim gives.
export const RULES = {
  GradientDescent: gradientDescent,
  SGD: sgd,
  Adagrad: adagrad,
  RMSprop: rmsprop,
  Adam: adam,
  AdamW: adamw,
  NAdam: nadam,
  RAdam: radam,
  Adamax: adamax,
};
