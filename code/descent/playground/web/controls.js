// What a reader moves: sliders, choices, a point in the plane; and what moves by itself.

import { digits, html, setAttributes, setText, svg } from "./elements.js";

const TICKS = 1000;

const rounded = (value) => Number(value.toPrecision(3));

// Where on a slider a value is, from 0 to 1, and back; and how a value is rounded and written.
const PLACES = {
  linear: ({ first, last }) => ({
    place: (value) => (value - first) / (last - first),
    value: (place) => first + place * (last - first),
  }),
  log: ({ first, last }) => ({
    place: (value) => Math.log(Math.max(value, first) / first) / Math.log(last / first),
    value: (place) => first * (last / first) ** place,
  }),
  // What an average keeps: 0.9, 0.99 and 0.999 stand equally far apart.
  complement: ({ last }) => {
    const longest = -Math.log10(1 - last);
    return {
      place: (value) => -Math.log10(Math.max(1 - value, 1 - last)) / longest,
      value: (place) => 1 - 10 ** (-place * longest),
      rounded: (value) => Number((1 - rounded(1 - value)).toFixed(9)),
      written: (value) => digits(value, 3 + Math.floor(-Math.log10(1 - value))),
    };
  },
};

let count = 0;

// A native range with its name and its value.
export function rangeInput({ label, name, input: moved, ...attributes }) {
  const id = `control-${(count += 1)}`;
  const input = html("input", { type: "range", id, min: 0, step: 1, "data-name": name, oninput: moved, ...attributes });
  const output = html("output", { for: id });
  const rail = html("div", { class: "rail" }, input);
  const element = html("div", { class: "slider" }, html("label", { for: id }, label), output, rail);
  return { element, input, output, rail };
}

// A range for a number. `snap(value)` may draw a value to one nearby; `says(value, text)` is what is
// read out of a value that is written as the text; `mark()` is a value to be shown on it, or null.
export function slider({
  label, name, range, get, set, snap = (value) => value, says = (_, text) => text, mark = () => null, whole = false,
}) {
  const scale = { rounded, written: digits, ...PLACES[range.scale](range), ...(whole && { rounded: Math.round }) };
  const told = () => snap(scale.rounded(scale.value(input.value / TICKS)));
  const { element, input, output, rail } = rangeInput({ label, name, max: TICKS, input: () => set(told()) });
  const tick = html("span", { class: "tick", hidden: true, "aria-hidden": "true" });
  rail.prepend(tick);
  const show = () => {
    const value = get();
    const place = Math.min(Math.max(scale.place(value), 0), 1);
    // The knob stays under the finger; it is moved only when the value was changed elsewhere.
    if (told() !== value) input.value = Math.round(place * TICKS);
    setAttributes(input, { "aria-valuetext": says(value, scale.written(value)) });
    setText(output, scale.written(value));
    tick.hidden = mark() === null;
    if (!tick.hidden) tick.style.setProperty("--place", scale.place(mark()));
  };
  return { element, input, show };
}

export function select({ label, name, choices, get, set }) {
  const id = `control-${(count += 1)}`;
  const options = choices.map((each) => html("option", { value: each }, each));
  const input = html("select", { id, "data-name": name, onchange: () => set(input.value) }, ...options);
  const element = html("div", { class: "select" }, html("label", { for: id }, label), input);
  return { element, show: () => (input.value = get()) };
}

export function checkbox({ label, name, get, set, disabled = () => false }) {
  const input = html("input", { type: "checkbox", "data-name": name, onchange: () => set(input.checked) });
  const element = html("label", { class: "checkbox" }, input, label);
  const show = () => {
    input.checked = get();
    input.disabled = disabled();
  };
  return { element, show };
}

export function button(label, name, onclick, attributes = {}) {
  return html("button", { type: "button", "data-name": name, onclick, ...attributes }, label);
}

// A point that is dragged with the pointer, or moved with the arrows once it has the focus.
// `window()` is where it may be, and `extent()`, if another, what the frame shows; an arrow moves it by
// `strides()`, unless `push(by)` does something else with it; `says(x, y)` is what is read out.
export function handle({
  label, name, window, extent = window, frame, get, set, push,
  strides = () => window().map(([low, high]) => (high - low) / 100),
  says = (x, y) => `${digits(x)}, ${digits(y)}`,
}) {
  const ring = svg("svg", { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, svg("circle", { r: 8 }));
  const element = html("button", { type: "button", class: "handle", "data-name": name }, ring);
  const clamped = (point) =>
    point.map((each, axis) => {
      const [low, high] = window()[axis];
      return Number(Math.min(Math.max(each, low), high).toPrecision(4));
    });
  const under = (event) => {
    const box = frame.getBoundingClientRect();
    const [[left, right], [bottom, top]] = extent();
    return [
      left + ((event.clientX - box.left) / box.width) * (right - left),
      top - ((event.clientY - box.top) / box.height) * (top - bottom),
    ];
  };
  const take = (event) => element.setPointerCapture(event.pointerId);
  element.addEventListener("pointerdown", take);
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) set(clamped(under(event)));
  });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  element.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const times = event.shiftKey ? 10 : 1;
    const by = strides().map((stride, axis) => arrow[axis] * stride * times);
    if (push) push(by);
    else set(clamped(get().map((each, axis) => each + by[axis])));
  });
  const show = () => {
    const [x, y] = get();
    const [[left, right], [bottom, top]] = extent();
    element.style.left = `${((x - left) / (right - left)) * 100}%`;
    element.style.top = `${((top - y) / (top - bottom)) * 100}%`;
    setAttributes(element, { "aria-label": `${label}: ${says(x, y)}. The arrows move it.` });
  };
  return { element, show, take, under: (event) => clamped(under(event)) };
}

// Calls `draw` once in the next frame, however often it is asked, and only while it can be seen.
export function painter(host, draw) {
  let [asked, seen, frame] = [false, false, 0];
  const later = () => {
    if (!frame && seen && !document.hidden) {
      frame = requestAnimationFrame((now) => {
        frame = 0;
        if (asked) {
          asked = false;
          draw(now);
        }
      });
    }
  };
  const observer = new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (!seen) cancelAnimationFrame(frame), (frame = 0);
    if (asked) later();
  });
  observer.observe(host);
  document.addEventListener("visibilitychange", () => asked && later());
  return () => {
    asked = true;
    later();
  };
}

// One line that is read out, when nothing has changed for a while; `text()` says it then.
export function announcer() {
  const element = html("p", { role: "status", class: "unseen" });
  let timer = 0;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => setText(element, text()), 700);
  };
  return { element, say };
}
