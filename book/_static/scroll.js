// A table, a figure or a formula that is wider than the page scrolls in its place. Let the keyboard reach it.
document.addEventListener("DOMContentLoaded", () => {
  const boxes = ".pst-scrollable-table-container, figure, .formula";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
