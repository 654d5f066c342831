"""The shapes that a schedule can be composed of, and the bowl that it is tried on."""

SHAPES = ("linear", "cosine", "exponential")
CURVATURES = tuple(10.0 ** (2 * k / 9 - 2) for k in range(10))
"""Of the bowl of the chapter on decay, on which a run starts at 1 along each axis."""
