// Whoever copies a formula gets its TeX, and all of it, also where only a part is selected.
document.addEventListener("copy", (event) => {
  const selection = document.getSelection();
  if (selection.isCollapsed || !event.clipboardData) return;
  const range = selection.getRangeAt(0).cloneRange();
  const within = (node) => (node.closest ? node : node.parentElement).closest(".formula");
  const [first, last] = [within(range.startContainer), within(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = range.cloneContents();
  const formulas = copied.querySelectorAll(".formula");
  if (formulas.length === 0) return;

  const markup = document.createElement("div");
  markup.append(copied.cloneNode(true));
  for (const formula of formulas) {
    const dollars = formula.matches("span") ? "$" : "$$";
    const tex = formula.querySelector("annotation").textContent.trim();
    formula.replaceWith(dollars + tex + dollars);
  }
  // Only what is laid out has line breaks.
  const text = document.createElement("div");
  text.style.cssText = "position: fixed; opacity: 0";
  text.append(copied);
  document.body.append(text);
  event.clipboardData.setData("text/plain", text.innerText);
  event.clipboardData.setData("text/html", markup.innerHTML);
  text.remove();
  event.preventDefault();
});
