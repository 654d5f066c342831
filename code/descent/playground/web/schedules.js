// The schedules of descent.schedules that one can be composed of, and the lines of Python that make it.

// By their names there: schedule(step, lr, options).
export const SCHEDULES = {
  constant: (_, lr) => lr,
  linear: (step, lr, { num_steps, start_factor = 1, end_factor = 0 }) =>
    lr * (start_factor + (end_factor - start_factor) * Math.min(step / num_steps, 1)),
  cosine: (step, lr, { num_steps, eta_min }) =>
    eta_min + 0.5 * (lr - eta_min) * (1 + Math.cos((Math.PI * step) / num_steps)),
  exponential: (step, lr, { gamma }) => lr * gamma ** step,
};

// The same in PyTorch.
const THEIRS = {
  constant: () => "ConstantLR(optimizer, factor=1.0, total_iters=0)",
  linear: ({ num_steps, start_factor = 1, end_factor }) =>
    `LinearLR(optimizer, start_factor=${start_factor}, end_factor=${end_factor}, total_iters=${num_steps})`,
  cosine: ({ num_steps, eta_min }) => `CosineAnnealingLR(optimizer, T_max=${num_steps}, eta_min=${eta_min})`,
  exponential: ({ gamma }) => `ExponentialLR(optimizer, gamma=${gamma})`,
};

// A warmup that begins at the W-th part of the peak, a stay, and a way down: each from its step on.
function parts({ shape, lr, warmup_steps, decay_start, end_factor }, numSteps) {
  const found = [];
  const warm = warmup_steps > 1; // the peak itself is reached at the last step of the warmup
  if (warm) {
    const options = { num_steps: warmup_steps - 1, start_factor: 1 / warmup_steps, end_factor: 1 };
    found.push({ from: 0, schedule: "linear", options });
  }
  const from = warm ? warmup_steps : 0;
  if (decay_start > from) found.push({ from, schedule: "constant", options: {} });
  const num_steps = numSteps - decay_start;
  const options = {
    linear: { num_steps, end_factor },
    cosine: { num_steps, eta_min: end_factor * lr },
    exponential: { gamma: end_factor ** (1 / num_steps) },
  };
  if (num_steps > 0) found.push({ from: decay_start, schedule: shape, options: options[shape] });
  return found;
}

export function ratesOf(state, numSteps) {
  const found = parts(state, numSteps);
  return Array.from({ length: numSteps }, (_, step) => {
    const { from, schedule, options } = found.findLast((each) => each.from <= step);
    return SCHEDULES[schedule](step - from, state.lr, options);
  });
}

const milestones = (found) => `milestones=[${found.slice(1).map(({ from }) => from).join(", ")}]`;

export function asTorch(state, numSteps) {
  const found = parts(state, numSteps);
  const theirs = found.map(({ schedule, options }) => THEIRS[schedule](options));
  const scheduler =
    theirs.length > 1 ? `SequentialLR(optimizer, [${theirs.join(", ")}], ${milestones(found)})` : theirs[0];
  return `optimizer = SGD(model.parameters(), lr=${state.lr})\nscheduler = ${scheduler}`;
}

export function asDescent(state, numSteps) {
  const found = parts(state, numSteps);
  const given = (options) => Object.entries(options).map(([name, value]) => `, ${name}=${value}`).join("");
  const [{ schedule, options }] = found;
  if (found.length === 1) return `schedule = partial(${schedule}, lr=${state.lr}${given(options)})`;
  const ours = found.map((each) =>
    each.schedule === "constant" ? "constant" : `partial(${each.schedule}${given(each.options)})`,
  );
  return `schedule = partial(sequential, lr=${state.lr}, schedules=[${ours.join(", ")}], ${milestones(found)})`;
}
