"""What a reader gets of the formulas: all of each, on any screen, with or without a script."""

import pytest
from playwright.sync_api import Browser, Page
from rendered import PAGES, page_names

WIDTHS = (1440, 768, 390)
WITH_FORMULAS = [name for name in page_names() if "<math" in (PAGES / name).read_text("utf-8")]

# For each formula the boxes that cut something off it: that clip it, and cannot be scrolled there.
CUT = """() => {
  const cut = [], shown = [...document.querySelectorAll("math")].filter(
    (formula) => formula.checkVisibility() && formula.getClientRects().length);
  for (const formula of shown) {
    const parts = [formula, ...formula.querySelectorAll("*")]
      .filter((part) => part.tagName !== "annotation" && part.getClientRects().length)
      .map((part) => part.getBoundingClientRect());
    const ink = {
      left: Math.min(...parts.map((part) => part.left)),
      right: Math.max(...parts.map((part) => part.right)),
      top: Math.min(...parts.map((part) => part.top)),
      bottom: Math.max(...parts.map((part) => part.bottom)),
    };
    for (let box = formula.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box), scrolls = /auto|scroll/;
      const [x, y] = [style.overflowX, style.overflowY];
      if (x === "visible" && y === "visible" || box === document.body) continue;
      const edge = box.getBoundingClientRect();
      const left = edge.left + box.clientLeft - (scrolls.test(x) ? box.scrollLeft : 0);
      const top = edge.top + box.clientTop - (scrolls.test(y) ? box.scrollTop : 0);
      const right = left + (scrolls.test(x) ? box.scrollWidth : box.clientWidth);
      const bottom = top + (scrolls.test(y) ? box.scrollHeight : box.clientHeight);
      const outside = Math.max(
        x === "visible" ? 0 : Math.max(left - ink.left, ink.right - right),
        y === "visible" ? 0 : Math.max(top - ink.top, ink.bottom - bottom));
      if (outside > 0.5) {
        cut.push([box.className || box.tagName, Math.round(outside), formula.textContent]);
        break;
      }
      // What goes on inside a box that scrolls is, from outside, no larger than the box.
      if (scrolls.test(x)) {
        ink.left = Math.max(ink.left, edge.left);
        ink.right = Math.min(ink.right, edge.right);
      }
    }
    const page = document.documentElement;
    if (ink.left < -0.5 || ink.right > page.clientWidth + 0.5)
      cut.push(["the page", 0, formula.textContent]);
  }
  return [shown.length, cut];
}"""

# What follows a formula without a space, but is not beside it.
TORN = """() => [...document.querySelectorAll("span.formula")].filter((formula) => {
  if (!formula.checkVisibility()) return false;
  const walker = document.createTreeWalker(formula.closest("p, li, td, dd, figcaption, main"), 4);
  walker.currentNode = formula;
  let next = walker.nextNode();
  while (next && formula.contains(next)) next = walker.nextNode();
  if (!next || !/^[,.;:!?)\\]’”%-]/.test(next.data)) return false;
  const range = document.createRange();
  range.setStart(next, 0);
  range.setEnd(next, 1);
  const mark = range.getBoundingClientRect();
  const box = formula.querySelector("math").getBoundingClientRect();
  return mark.width > 0 && (mark.left < box.left || mark.top > box.bottom);
}).map((formula) => formula.parentElement.textContent)"""


@pytest.mark.parametrize("name", WITH_FORMULAS)
def test_no_formula_is_cut_or_torn_from_its_comma(page: Page, base: str, name: str) -> None:
    page.goto(base + name)
    page.evaluate("document.fonts.ready")
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            compared, cut = page.evaluate(CUT)
            assert compared > 0
            assert cut == [], (width, theme)
        assert page.evaluate(TORN) == [], width


@pytest.mark.parametrize("name", WITH_FORMULAS)
def test_the_keyboard_stops_only_at_what_scrolls(page: Page, base: str, name: str) -> None:
    page.goto(base + name)
    page.keyboard.press("Tab")
    stops = page.locator(".formula").evaluate_all(
        "all => all.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex === 0])"
    )
    assert stops
    assert all(scrolls == stop for scrolls, stop in stops)


def test_copied_formulas_are_tex(page: Page, base: str) -> None:
    page.goto(base + "book/notation.html")
    copied = page.evaluate(
        """() => {
          const first = document.querySelector("main mi");
          const cell = first.closest("td, p"), end = cell.childNodes.length;
          document.getSelection().setBaseAndExtent(first.firstChild, 0, cell, end);
          const clipboardData = new DataTransfer();
          const event = new ClipboardEvent("copy", {clipboardData, cancelable: true});
          document.dispatchEvent(event);
          return [
            event.clipboardData.getData("text/plain"), event.defaultPrevented,
            cell.querySelector("annotation").textContent,
          ];
        }"""
    )
    text, taken, tex = copied
    assert taken
    assert f"${tex}$" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_whole_without_a_script(browser: Browser, base: str, scheme: str) -> None:
    context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
    page = context.new_page()
    page.goto(base + WITH_FORMULAS[0])
    ground, ink = page.evaluate(
        """() => {
          const style = getComputedStyle(document.querySelector("main math mi"));
          return [getComputedStyle(document.body).backgroundColor, style.color];
        }"""
    )
    assert page.locator("main math").first.is_visible()
    dark, light = sorted([ground, ink], key=brightness)
    assert (ground == dark) == (scheme == "dark")
    assert brightness(light) - brightness(dark) > 400
    context.close()


def brightness(colour: str) -> int:
    return sum(int(each) for each in colour.partition("(")[2].rstrip(")").split(",")[:3])
