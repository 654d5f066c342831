"""What a lab needs from its notebook: checked parameters, a style, check lines, glued values."""

import ast
from collections.abc import Mapping
from typing import Any

import torch

from descent import plotting
from descent._checks import check_positive_int
from descent._extras import book_extra
from descent._signatures import FloatingType, checked
from descent.chapters.parameters import LabParameters, parameters_of, validate
from descent.press import claims, picture
from descent.runtime import resolve_device, seed_everything, stream

with book_extra():
    from IPython import get_ipython
    from matplotlib_inline.backend_inline import set_matplotlib_formats


class Lab:
    """A lab that has been started: its device, and the way it states what it found.

    Args:
        name: the lab's name, such as ``"gradient_descent_lab"``.
        parameters: its checked parameters.
    """

    @checked
    def __init__(self, name: str, parameters: LabParameters) -> None:
        self.name = name
        self.parameters = parameters
        self.device = resolve_device(parameters.device)
        self._claims: list[tuple[claims.Claim, claims.Measurement]] = []

    def seeds(self, name: str, count: int) -> list[int]:
        """Return the seeds of several runs, such as those of a sweep.

        They follow from the lab's seed and from the name alone, so that a cell that is run again
        draws the same numbers again, and curves that share a name share their noise. Noise that
        should be independent has names of its own.

        Args:
            name: what is random, in words.
            count: how many, at least 1; more of them begin with the fewer.

        Returns:
            Integers in [0, 2**32).

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> lab.seeds("networks", 3)[:2] == lab.seeds("networks", 2)
            True
        """
        check_positive_int("count", count)
        return stream(self.parameters.seed, name).generate_state(count).tolist()

    def seed(self, name: str) -> int:
        """Return the first of :meth:`seeds`.

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> lab.seed("start") == lab.seed("noise")
            False
        """
        return self.seeds(name, 1)[0]

    def generator(self, name: str) -> torch.Generator:
        """Make a generator of random numbers, on the CPU, seeded with :meth:`seed`.

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> once, again = (torch.rand(3, generator=lab.generator("start")) for _ in "ab")
            >>> torch.equal(once, again)
            True
        """
        return torch.Generator().manual_seed(self.seed(name))

    def check(
        self,
        claim: str,
        measured: Any,
        expected: Any = True,
        *,
        rel: float = 0.0,
        abs: float = 0.0,
        when: bool = True,
    ) -> None:
        """Assert a claim, and print one line that is the same on every device.

        Args:
            claim: the statement, in words.
            measured: a number, a boolean or a tensor.
            expected: what it should be, or its :func:`~descent.press.claims.at_least` or
                :func:`~descent.press.claims.at_most`.
            rel: relative tolerance, at least 0.
            abs: absolute tolerance, at least 0.
            when: whether the run is large enough to judge the claim at all; if not, the line
                says that it was not judged.

        Raises:
            AssertionError: the claim does not hold; the error prints both values.

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> lab.check("a third is about 0.33", 1 / 3, 0.33, abs=0.01)
            holds: a third is about 0.33
        """
        if not when:
            print(f"not judged, this run is too small: {claim}")
            return
        if fault := claims.fault(measured, expected, rel=rel, abs=abs):
            raise AssertionError(f"does not hold: {claim} ({fault})")
        print(f"holds: {claim}")

    def claim(
        self,
        cite: str,
        says: str,
        measured: Any,
        expected: Any = True,
        *,
        rel: float = 0.0,
        abs: float = 0.0,
        when: bool = True,
        **more: str,
    ) -> None:
        """Check what a paper says, as :meth:`check` does, and keep it for the page of claims.

        Args:
            cite: the paper's key in the bibliography.
            says: what the paper says, in words.
            measured: this and what follows is as in :meth:`check`.
            expected: likewise.
            rel: likewise.
            abs: likewise.
            when: likewise.
            **more: ``verdict``, ``conditions``, ``but`` and ``where`` of
                :class:`~descent.press.claims.Claim`. Where a claim is corrected, what is
                measured is what is true instead.

        Raises:
            AssertionError: it does not hold; the error prints both values.
            ValueError: the verdict is unknown, or lacks what it needs.

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> lab.claim("paper2020", "a third is about 0.33", 1 / 3, 0.33, abs=0.01)
            holds: a third is about 0.33
        """
        claim = claims.Claim(cite, says, **more)
        self.check(claim.found, measured, expected, rel=rel, abs=abs, when=when)
        if when:
            self._claims.append(
                (claim, claims.Measurement.of(measured, expected, rel=rel, abs=abs))
            )

    def keep_claims(self) -> None:
        """Keep all of :meth:`claim` in the executed notebook; in the lab's last code cell."""
        self.glue(f"{self.name}-claims", claims.as_text(self._claims))

    def glue(self, name: str, value: Any) -> None:
        """Keep a number, a text or a figure for the prose to print, under ``name``.

        Args:
            name: unique in the book; by custom it begins with the chapter's prefix.
            value: text as it should be printed, or a matplotlib figure.
        """
        from myst_nb import glue

        glue(name, value, display=False)

    def figure(self, name: str, figure: Any, says: Mapping[str, Any], *, when: bool = True) -> None:
        """Keep a figure for the chapter, and assert what the chapter says of it.

        The sentences are those of the figure's alternative text and of its caption, word for
        word; the book does not build while one of them is missing here. Take the numbers from
        the curves as they were drawn, with :func:`~descent.plotting.drawn` and
        :func:`~descent.plotting.dashed`.

        Args:
            name: unique in the book; by custom it begins with the chapter's prefix.
            figure: a matplotlib figure.
            says: each sentence to whether it holds: a boolean, or a tensor of them.
            when: whether the run is large enough to judge the sentences.

        Raises:
            AssertionError: a sentence does not hold, or an optimizer or a schedule has another
                colour than in the rest of the book.

        Example:
            >>> lab = Lab("gradient_descent_lab", LabParameters(seed=0, device="cpu"))
            >>> lab.figure("gd-fig", None, says={"It falls.": torch.tensor([True, False])})
            Traceback (most recent call last):
            ...
            AssertionError: gd-fig does not show: It falls.
        """
        for sentence, holds in says.items():
            if when and not torch.as_tensor(holds).all():
                raise AssertionError(f"{name} does not show: {sentence}")
        if faults := plotting.miscoloured(figure):
            raise AssertionError(f"{name}: {'; '.join(faults)}")
        self.glue(name, figure)


@checked
def start(name: str, variables: Mapping[str, Any], *, dtype: FloatingType = torch.float32) -> Lab:
    """Begin a lab: check its parameters, seed, choose the device and apply the style.

    Args:
        name: the lab's name.
        variables: the notebook's ``globals()``, which hold the parameters.
        dtype: the floating-point type of every tensor that says no other. Networks and their
            data say so: those of ``descent.tasks`` are in float32.

    Returns:
        The lab.

    Raises:
        ValueError: a parameter is unknown, of the wrong type or out of range, or the device is
            not on this machine.

    Example:
        >>> start("gradient_descent_lab", {"lr": -1.0, "seed": 0, "device": "cpu"})
        Traceback (most recent call last):
        ...
        ValueError: gradient_descent_lab: lr must be a number in ..., got -1.0...
    """
    known = parameters_of(name).model_fields
    given = [*_injected(), *known]
    parameters = validate(name, {key: variables[key] for key in given if key in variables})
    seed_everything(parameters.seed)
    torch.set_default_dtype(dtype)
    plotting.use_style()
    if shell := get_ipython():
        set_matplotlib_formats()
        shell.display_formatter.formatters["text/html"].for_type(plotting.Figure, picture.html)
    return Lab(name, parameters)


def _injected() -> list[str]:
    """Name what papermill set in the cell before this one, known to the lab or not."""
    shell = get_ipython()
    history = shell.user_ns.get("In", []) if shell else []
    if len(history) < 2 or not history[-2].startswith("# Parameters"):
        return []
    assignments = ast.parse(history[-2]).body
    return [node.targets[0].id for node in assignments if isinstance(node, ast.Assign)]
