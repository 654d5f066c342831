// Puts a figure into every element of the document that waits for one.

import { html } from "./elements.js";
import { fromLink } from "./link.js";
import { STYLE } from "./style.js";

// `check(raw)` turns what was given into a state or throws; `build(root, host, state)` makes the
// figure and returns { set(state), notice(text) }.
export function mount(figure, check, build) {
  const waiting = `[data-playground="${figure}"]:not([data-started])`;
  document.querySelectorAll(waiting).forEach((host, index) => {
    host.dataset.started = "";
    const root = host.attachShadow({ mode: "open" });
    root.append(html("style", {}, STYLE));
    const initial = check(JSON.parse(host.dataset.state));
    const made = build(root, host, initial);
    if (host.dataset.place !== "page" || index > 0) return;
    const follow = () => {
      const linked = fromLink(figure, location.hash);
      if (!linked) return;
      try {
        made.set(check(linked));
        made.notice("");
      } catch (error) {
        made.set(initial);
        made.notice(`This link cannot be shown: ${error.message}. Here is the figure as it starts.`);
      }
      host.scrollIntoView({ block: "nearest" });
    };
    window.addEventListener("hashchange", follow);
    follow();
  });
}
