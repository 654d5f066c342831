// A table or a figure that is wider than the page scrolls in its place. Let the keyboard reach it.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, figure")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
