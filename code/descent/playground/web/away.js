// What a reader takes away: the link, or in a notebook the call, that makes the same picture.

import { button } from "./controls.js";
import { html, setText } from "./elements.js";
import { asCall, asLink } from "./link.js";

export function awayBlock({ figure, host, state, restore }) {
  const page = host.dataset.place === "page";
  const copied = html("span", { class: "copied", role: "status" });
  const copy = async () => {
    const text = page ? new URL(asLink(figure, state()), location.href).href : asCall(figure, state());
    if (page) history.replaceState(null, "", text);
    try {
      await navigator.clipboard.writeText(text);
      setText(copied, "Copied.");
    } catch {
      setText(copied, page ? "The link is in the address bar." : text);
    }
  };
  return html(
    "div",
    { class: "away" },
    button(page ? "Copy link" : "Copy as Python", "copy", copy),
    button("Start over", "restore", restore, { class: "plain" }),
    copied,
  );
}
