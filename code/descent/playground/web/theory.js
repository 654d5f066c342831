// Closed forms of the chapters' theory.

// heavy_ball_rate of the chapter on momentum, the larger of two roots, which without momentum is
// |1 - ηλ|, the factor of gradient descent.
export function heavyBallFactor(lrTimesCurvature, momentum) {
  const trace = 1 + momentum - lrTimesCurvature;
  const inside = trace * trace - 4 * momentum;
  return inside < 0 ? Math.sqrt(momentum) : (Math.abs(trace) + Math.sqrt(inside)) / 2;
}
