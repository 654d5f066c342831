// Plays a run: which step is shown, and what moves it. What has steps may be something else.

import { button, rangeInput } from "./controls.js";
import { html, setAttributes, setText } from "./elements.js";

const STEPS = {
  label: "Step",
  one: "One step",
  tells: (shown, last) => `${shown} of ${last}`,
  says: (shown, last) => `step ${shown} of ${last}`,
};

// `steps()` is how many there are, and a whole run takes `seconds` to play. `at()` is the step shown,
// which `show(at)` changes; between two steps it is no whole number. `ended()` is called at the end.
export function player({ steps, seconds, at, show, ended = () => {}, more = [], words = STEPS }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let playing = false;
  let before = 0;
  const seek = (step) => {
    pause();
    show(step);
  };
  const pause = () => {
    playing = false;
    setText(main, "Play");
    if (!Number.isInteger(at())) show(Math.round(at()));
  };
  const play = () => {
    if (still.matches) return seek(steps());
    playing = true;
    before = 0;
    setText(main, "Pause");
    show(at() >= steps() ? 0 : at());
  };
  const main = button("Play", "play", () => (playing ? pause() : play()), { class: "main" });
  const range = rangeInput({ label: words.label, name: "at", input: (event) => seek(Number(event.target.value)) });
  const element = html(
    "div",
    { class: "transport" },
    main,
    button(words.one, "step", () => seek(Math.min(Math.floor(at()) + 1, steps()))),
    button("Reset", "reset", () => seek(0)),
    ...more,
    range.element,
  );
  return {
    element,
    pause,
    playing: () => playing,
    // Moves on by the time that has passed since the last frame, of which a long one counts little.
    advance(now) {
      if (!playing) return;
      const passed = before ? Math.min(now - before, 100) : 0;
      before = now;
      const next = at() + (passed / 1000 / seconds) * steps();
      if (next < steps()) return show(next);
      seek(steps());
      ended();
    },
    draw() {
      const shown = Math.round(at());
      setAttributes(range.input, { max: steps(), "aria-valuetext": words.says(shown, steps()) });
      range.input.value = shown;
      setText(range.output, words.tells(shown, steps()));
    },
  };
}
