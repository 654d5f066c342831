// What every figure has: a state, a line for a link that was refused, what is taken away, a frame.

import { awayBlock } from "./away.js";
import { announcer, painter, slider } from "./controls.js";
import { DESCRIPTION } from "./description.js";
import { html, setText } from "./elements.js";

// `draw(now, changed)` shows the state, of which nothing but the step shown moved unless it `changed`;
// `summary()` says it in words; `pause()` stops what plays.
export function shell({ root, host, figure, title, initial, draw, summary, pause = () => {} }) {
  let state = initial;
  let stale = true;
  const { element: status, say } = announcer();
  const notice = html("p", { class: "notice", hidden: true });
  const paint = painter(host, painted);

  function painted(now) {
    const changed = stale;
    stale = false;
    draw(now, changed);
  }
  function redraw() {
    stale = true;
    paint();
  }
  function put(next) {
    state = next;
    notice.hidden = true;
    redraw();
  }
  function set(next) {
    pause();
    put(next);
  }
  function change(changes) {
    put({ ...state, ...changes });
    say(summary);
  }
  function seek(at) {
    state = { ...state, at };
    paint();
  }
  // A slider for one of the numbers that the figure's function in Python takes.
  function number(name, label, says, put = change) {
    const range = DESCRIPTION.figures[figure][name];
    const moved = (value) => put({ [name]: value });
    return slider({ label, name, range, whole: range.whole, says, get: () => state[name], set: moved });
  }
  function show(...parts) {
    const restore = () => {
      set(initial);
      say(summary);
    };
    const told = () => ("at" in state ? { ...state, at: Math.round(state.at) } : state);
    const away = awayBlock({ figure, host, state: told, restore });
    const label = `Figure that answers back: ${title}`;
    root.append(html("div", { class: "figure", role: "group", "aria-label": label }, notice, ...parts, away, status));
    painted(0);
    return {
      set,
      notice(text) {
        setText(notice, text);
        notice.hidden = !text;
      },
    };
  }
  return { state: () => state, change, seek, redraw, number, show, say: () => say(summary) };
}
