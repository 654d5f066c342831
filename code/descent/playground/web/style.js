// How figures look. Colours are those of the text around them, so that they fit every page and theme.

export const STYLE = `
:host {
  --ink: currentcolor;
  --muted: color-mix(in srgb, currentcolor 74%, transparent);
  --line: color-mix(in srgb, currentcolor 22%, transparent);
  --faint: color-mix(in srgb, currentcolor 7%, transparent);
  --mark: var(--accent, #3478c9);
  container-type: inline-size;
  display: block;
  font: 400 0.94rem/1.5 var(--pst-font-family-base, system-ui, sans-serif);
  margin: 2rem 0;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.unseen { clip-path: inset(50%); height: 1px; margin: 0; overflow: hidden; position: absolute; width: 1px; }
p, dl, dd, figure { margin: 0; }
p.title, figcaption { color: var(--muted); font-size: 0.85rem; font-weight: 600; }
a { color: var(--mark); text-underline-offset: 0.2em; }

.figure { border-bottom: 1px solid var(--line); border-top: 1px solid var(--line); display: grid; gap: 1.1rem; grid-template-columns: minmax(0, 1fr); padding: 1.2rem 0 0.9rem; position: relative; }
.notice { border-left: 3px solid #cf4747; padding-left: 0.8rem; }

.ask { display: grid; gap: 0.5rem; }
.question { font-size: 1.15rem; font-weight: 600; letter-spacing: -0.01em; line-height: 1.35; }
.guess, .answered { min-height: 2.75rem; }
.guess { align-items: end; display: grid; gap: 0.4rem 1rem; grid-template-columns: minmax(10rem, 20rem) auto auto; justify-content: start; }
.answered { align-items: center; display: none; flex-wrap: wrap; gap: 0.2rem 0.8rem; }
.ask[data-answered] .guess, .ask.open .guess, .ask.open .answered { display: none; }
.ask[data-answered]:not(.open) .answered { display: flex; }
.proof { color: var(--muted); }

.stage { align-items: start; display: grid; gap: 1.2rem 1.6rem; grid-template-columns: minmax(0, 8fr) minmax(0, 5fr); }
.map { aspect-ratio: 8 / 5; background: var(--faint); border-radius: 4px; position: relative; }
.map svg { display: block; height: 100%; overflow: hidden; width: 100%; }
.map > svg { border-radius: 4px; }
.rings { fill: none; stroke: var(--line); stroke-width: 1.1; }
.goal { fill: none; stroke: var(--muted); stroke-width: 1.4; }
.path { fill: none; stroke-linejoin: round; stroke-width: 2; }
.head { stroke: var(--pst-color-background, Canvas); stroke-width: 1.5; }
.handle { background: none; border: 0; cursor: grab; height: 44px; margin: -22px 0 0 -22px; padding: 10px; position: absolute; touch-action: none; width: 44px; }
.handle:active { cursor: grabbing; }
.handle circle { fill: transparent; stroke: var(--ink); stroke-width: 2; }
.handle:hover circle { fill: var(--faint); }

.side { display: grid; gap: 1rem; min-width: 0; }
.side svg:not(.swatch) { display: block; width: 100%; }
.grid path { stroke: var(--line); stroke-width: 0.8; }
.grid text { fill: var(--muted); font-size: 11.5px; }
.now { stroke: var(--muted); stroke-dasharray: 2 3; stroke-width: 1; }

.factors { min-height: 6.9rem; }
.factors > p:not(.title) { color: var(--muted); font-size: 0.85rem; }
.factor { align-items: baseline; column-gap: 0.6rem; display: grid; font-size: 0.88rem; grid-template-columns: 1fr auto; padding-top: 0.35rem; }
.factor dd { font-variant-numeric: tabular-nums; }
.verdict { color: var(--muted); display: inline-block; padding-left: 0.5em; width: 4.2em; }
.bar { background: linear-gradient(var(--muted), var(--muted)) 80% 0 / 1.5px 100% no-repeat, var(--faint); display: block; grid-column: 1 / -1; height: 7px; }
.bar i { background: var(--color); display: block; height: 3px; position: relative; top: 2px; width: calc(100% * var(--part)); }
.grows .verdict { color: inherit; font-weight: 600; }

.regions path { fill: var(--faint); stroke: var(--line); }
.regions .swings { fill: color-mix(in srgb, var(--mark) 14%, transparent); }
.regions .diverges { fill: color-mix(in srgb, #cf4747 16%, transparent); }
.regions text { fill: var(--ink); font-size: 13px; text-anchor: middle; }
.hidden-answer .regions { display: none; }
.full circle { fill: var(--mark); stroke: var(--pst-color-background, Canvas); }
.roots { grid-template-columns: minmax(0, 1fr); }
.roots svg { margin: auto; max-width: 15rem; }
.unit, .cross { fill: none; stroke: var(--line); }
.unit { stroke: var(--muted); }
.reach { fill: none; stroke: var(--mark); stroke-dasharray: 4 3; }
:is(.unit, .cross, .reach, .envelope, .roots .head) { stroke-width: 1.2; vector-effect: non-scaling-stroke; }
.motion .path { vector-effect: non-scaling-stroke; }
.envelope { fill: none; stroke: var(--muted); stroke-dasharray: 5 3; }
.motion svg { display: block; width: 100%; }
.facts { column-gap: 1rem; display: grid; font-size: 0.88rem; grid-template-columns: auto 1fr; }
.facts dt { color: var(--muted); }
.facts dd { font-variant-numeric: tabular-nums; text-align: right; }

.floor { display: grid; gap: 0.8rem; }
.floor svg { display: block; width: 100%; }
.floor .facts { grid-template-columns: repeat(2, auto 1fr); }
.cloud { fill: none; opacity: 0.16; stroke-width: 1; }
.expected { fill: none; stroke: var(--ink); stroke-dasharray: 4 4; stroke-width: 2; }
.level { fill: none; stroke: var(--muted); stroke-dasharray: 1 3; stroke-width: 2; }

.plot { position: relative; }
.plot svg { background: var(--faint); border-radius: 4px; overflow: hidden; touch-action: pan-y; }
.bars { fill: none; stroke: var(--mark); stroke-width: 5; }
.mark { fill: var(--muted); font-size: 11.5px; text-anchor: end; }
.key { color: var(--muted); display: flex; flex-wrap: wrap; font-size: 0.85rem; gap: 0.2rem 1.2rem; }
.key > span, .key span span { align-items: center; display: inline-flex; gap: 0.4rem; }
.dashed { border-top: 2px dashed var(--ink); width: 28px; }
.presets, .line { display: flex; flex-wrap: wrap; gap: 0.6rem; }
.lines { display: grid; gap: 0.6rem; }
.line { align-items: start; flex-wrap: nowrap; }
pre { background: var(--faint); border-radius: 4px; flex: 1; font-size: 0.8rem; margin: 0; min-width: 0; overflow-wrap: anywhere; padding: 0.5rem 0.7rem; white-space: pre-wrap; }
.line button { flex: none; width: 11.5rem; }

.transport, .away { align-items: end; display: flex; flex-wrap: wrap; gap: 0.6rem; }
.away { align-items: center; border-top: 1px solid var(--line); padding-top: 0.8rem; }
.transport .slider { flex: 1 1 12rem; }
.copied { color: var(--muted); overflow-wrap: anywhere; }

button, select { background: transparent; border: 1px solid var(--line); border-radius: 4px; color: inherit; cursor: pointer; font: inherit; min-height: 2.25rem; padding: 0.2rem 0.8rem; }
button:hover, select:hover { border-color: var(--muted); }
button.main { border-color: var(--mark); box-shadow: inset 0 0 0 1px var(--mark); min-width: 5rem; }
button.plain { border-color: transparent; color: var(--muted); padding: 0.2rem 0.4rem; text-decoration: underline; text-decoration-color: var(--line); text-underline-offset: 0.25em; }
button.adding { align-self: start; border-style: dashed; color: var(--muted); width: 100%; }
select { padding: 0.2rem 0.3rem; }
select option { background: Canvas; color: CanvasText; }
:is(button, select, input, summary, a, pre):focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }

.ground { align-items: end; display: grid; gap: 0.5rem 1.2rem; grid-template-columns: minmax(9.5rem, 3fr) repeat(4, minmax(0, 2fr)); }
.ground.wide { grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); }
.ground.four { grid-template-columns: repeat(4, minmax(0, 1fr)); }
.slider { column-gap: 0.6rem; display: grid; grid-template-columns: 1fr auto; }
.slider label, .select label { color: var(--muted); font-size: 0.85rem; }
.slider output { font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.rail { grid-column: 1 / -1; position: relative; }
.off { opacity: 0.45; }
.tick { background: var(--ink); height: 16px; left: calc(9px + (100% - 18px) * var(--place)); margin-left: -1px; pointer-events: none; position: absolute; top: calc(50% - 8px); width: 2px; }
input[type="range"] { appearance: none; background: transparent; cursor: pointer; display: block; height: 2rem; margin: 0; width: 100%; }
input[type="range"]::-webkit-slider-runnable-track { background: var(--line); border-radius: 2px; height: 3px; }
input[type="range"]::-moz-range-track { background: var(--line); border-radius: 2px; height: 3px; }
input[type="range"]::-webkit-slider-thumb { appearance: none; background: var(--mark); border: 0; border-radius: 50%; height: 18px; margin-top: -7.5px; width: 18px; }
input[type="range"]::-moz-range-thumb { background: var(--mark); border: 0; border-radius: 50%; height: 18px; width: 18px; }
input[type="range"]:disabled { cursor: default; }
button:disabled { cursor: default; opacity: 0.5; }
.select { display: grid; }
.select select { min-width: 0; width: 100%; }
.checkbox { align-items: center; display: flex; font-size: 0.88rem; gap: 0.5rem; min-height: 2.25rem; }
.checkbox input { accent-color: var(--mark); height: 1.1rem; margin: 0; width: 1.1rem; }

.racers { align-items: start; display: grid; gap: 1.2rem 1.6rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.racer { display: grid; gap: 0.8rem 1.6rem; min-width: 0; }
.racer:first-child:nth-last-child(2) { align-items: start; grid-column: span 2; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.levers { display: grid; gap: 0.4rem; }
.heading { align-items: end; display: flex; gap: 0.6rem; }
.heading .select { flex: 1; min-width: 0; }
.heading .select label { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; width: 1px; }
button.removing { font-size: 1.2rem; line-height: 1; min-width: 2.25rem; text-decoration: none; }
.swatch { align-self: center; flex: none; height: 8px; width: 28px; }
.swatch path { fill: none; stroke-width: 3; }
summary { color: var(--muted); cursor: pointer; font-size: 0.88rem; min-height: 2rem; padding: 0.25rem 0; }
table { border-collapse: collapse; font-size: 0.77rem; font-variant-numeric: tabular-nums; width: 100%; }
caption { color: var(--muted); font-weight: 600; padding-bottom: 0.2rem; text-align: left; }
th { color: var(--muted); font-weight: 400; padding: 0.12rem 0.3rem 0.12rem 0; text-align: left; white-space: nowrap; }
td { white-space: nowrap; padding: 0.12rem 0 0.12rem 0.3rem; text-align: right; }
tr { border-top: 1px solid var(--line); }

@container (max-width: 40rem) {
  .stage { grid-template-columns: minmax(0, 1fr); }
  .racers, .racers .racer:first-child { grid-column: auto; grid-template-columns: minmax(0, 1fr); }
  .ground, .ground.wide, .ground.four { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .guess { grid-template-columns: 1fr auto; }
  .guess .slider { grid-column: 1 / -1; }
  .factors { min-height: 0; }
  .floor .facts { grid-template-columns: auto 1fr; }
  .plot text { font-size: 14px; }
  .line { flex-wrap: wrap; }
  pre { flex-basis: 100%; }
  .presets button { flex: 1 1 40%; }
}
@media (pointer: coarse), (max-width: 600px) {
  button, select, summary, .checkbox { min-height: 44px; }
  button.removing { min-width: 44px; }
  summary { padding: 0.6rem 0; }
  input[type="range"] { height: 44px; }
  input[type="range"]::-webkit-slider-thumb { height: 24px; margin-top: -10.5px; width: 24px; }
  input[type="range"]::-moz-range-thumb { height: 24px; width: 24px; }
  .checkbox input { height: 1.4rem; width: 1.4rem; }
}
@media print {
  .guess, .transport, .ground, .away, .handle, .adding, .presets, .line button, details { display: none !important; }
  .stage { grid-template-columns: minmax(0, 8fr) minmax(0, 5fr); }
}
`;
