// A whole run: from where a rule starts to where it is after so many steps.

import { RULES } from "./rules.js";

// Normal numbers of mean 0 and variance 1, the same for the same seed (Mulberry32, Box and Muller).
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
}

// Steps from 0 on, each with where it is, the loss there, and, after the start, the gradient that
// led to it and the state it left. It ends early where a number is no longer finite.
export function follow(rule, surface, start, options, numSteps, noise = () => 0) {
  let param = Float64Array.from(start);
  let state = {};
  const steps = [{ param, loss: surface.value(...param), state }];
  for (let step = 0; step < numSteps; step += 1) {
    const grad = surface.gradient(...param).map((each) => each + noise());
    [param, state] = RULES[rule](param, grad, state, options);
    const loss = surface.value(...param);
    if (![...param, loss].every(Number.isFinite)) break;
    steps.push({ param, loss, state, grad });
  }
  return steps;
}
