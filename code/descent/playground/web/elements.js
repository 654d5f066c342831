// Elements of HTML and SVG, and numbers as a reader writes them.

const SVG = "http://www.w3.org/2000/svg";

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export const html = (tag, attributes = {}, ...children) =>
  made(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS(SVG, tag), attributes, children);

// A short piece of a line, in its colour and dash, as the description has them.
export function swatch(color, dash) {
  const stroke = { stroke: color, "stroke-dasharray": dashes(dash) };
  const box = { class: "swatch", viewBox: "0 0 28 8", "aria-hidden": "true" };
  return svg("svg", box, svg("path", { d: "M1 4H27", ...stroke }));
}

export const dashes = (dash) => dash.map((each) => each * 2).join(" ");

export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Pairs of a name and what it is.
export function factList() {
  const element = html("dl", { class: "facts" });
  const draw = (facts) =>
    facts.forEach(([name, value], k) => {
      if (!element.children[2 * k]) element.append(html("dt"), html("dd"));
      setText(element.children[2 * k], name);
      setText(element.children[2 * k + 1], value);
    });
  return { element, draw };
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const raised = (exponent) => [...String(exponent)].map((each) => RAISED[each]).join("");

export const powerOfTen = (exponent) => (exponent === 0 ? "1" : exponent === 1 ? "10" : `10${raised(exponent)}`);

// A number to so many digits: 0.0198, 1.98 × 10⁻⁵.
export function digits(value, count = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "undefined" : value < 0 ? "−∞" : "∞";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(count - 1).split("e").map(Number);
  const text =
    Math.abs(exponent) > 4
      ? `${mantissa} × ${powerOfTen(exponent)}`
      : String(Number(value.toPrecision(count)));
  return text.replace("-", "−");
}
