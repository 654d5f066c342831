// A table, a figure or a formula that is wider than the page scrolls in its place. Let the keyboard reach it.
// To measure them all takes long on a phone, so it is done when a keyboard is first used.
addEventListener("keydown", function reach(event) {
  if (event.key !== "Tab") return;
  removeEventListener("keydown", reach);
  const boxes = ".pst-scrollable-table-container, figure, .formula";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
