"""The sequences of gradients that the figure of Adam begins with."""

from descent.optim import OPTIMIZERS

LENGTH = 60
BETA1, BETA2 = OPTIMIZERS["Adam"].complete()["betas"]
GROWTH = BETA2 / BETA1
"""By how much gradients grow whose steps are the longest, as the chapter on Adam proves."""
SILENCE = 5000
"""After so many gradients of 0 the correction has faded."""

GRADIENTS: dict[str, tuple[int, tuple[float, ...]]] = {
    "constant": (0, (1.0,) * LENGTH),
    "silence, then a burst": (SILENCE, (0.0,) * 10 + (1.0,) * (LENGTH - 10)),
    "one outlier": (0, (0.05,) * 20 + (1.0,) + (0.05,) * (LENGTH - 21)),
    f"growing by {GROWTH - 1:.0%} a step": (
        SILENCE,
        tuple(float(f"{GROWTH ** (k + 1 - LENGTH):.6g}") for k in range(LENGTH)),
    ),
}
"""How many gradients of 0 come first, and those that are shown, by the name that a button has."""
