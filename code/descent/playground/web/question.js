// A question, the reader's guess, which is asked for first, and then the answer with its proof.

import { button } from "./controls.js";
import { html, setText } from "./elements.js";

// `answer(guessed)` says what is true, and of a guess how far it was off.
export function questionBlock({ guessing, answer, proof, place, onAnswer }) {
  const text = html("p", { class: "question" });
  const said = html("p", { class: "answer", role: "status" });
  let answered = false;
  let guessed = false;
  const reveal = (own) => () => {
    answered = true;
    guessed = own;
    element.dataset.answered = "";
    onAnswer();
  };
  const source = proof ? html("a", { href: proof }, place) : place;
  const element = html(
    "div",
    { class: "ask" },
    text,
    html(
      "div",
      { class: "guess" },
      guessing.element,
      button("Check my guess", "check", reveal(true)),
      button("Show me", "answer", reveal(false), { class: "plain" }),
    ),
    html("div", { class: "answered" }, said, html("p", { class: "proof" }, "Proved in ", source, ".")),
  );
  return {
    element,
    answered: () => answered,
    // Without an answer there is nothing to guess.
    draw(question, hasAnswer = true) {
      setText(text, question);
      element.classList.toggle("open", !hasAnswer);
      if (answered && hasAnswer) setText(said, answer(guessed));
      guessing.show();
    },
  };
}
