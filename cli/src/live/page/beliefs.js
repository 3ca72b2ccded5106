// Panels of the filter tab: beliefs with bands, observations, surprise, the forecast fan, parameters.

import { Ring, axes, colour, line, spark, span, text } from "./plots.js";

const ROWS = 400; // observations that are shown
const STATES = 6;
const CHANNELS = 6;
const Z = 1.959964; // 95 %
const panels = document.getElementById("panels");
const learned = document.getElementById("parameters");
const rings = new Map();
let rows = [];
let forecast = null;
let model = null;
let names = [];
let canvases = new Map();

/** Panels of a model with these columns; empty. */
export function fit(described, columns) {
  [model, names] = [described, columns ?? []];
  clear();
  panels.replaceChildren();
  canvases = new Map();
  if (!model) return;
  const add = (name, label, low = false) => {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    canvas.classList.toggle("low", low);
    panels.append(canvas);
    canvases.set(name, canvas);
  };
  for (let i = 0; i < Math.min(model.width, CHANNELS); i++) {
    add(`channel ${i}`, `Observations of ${channel(i)} with the belief about them and the forecast`);
  }
  if (model.form === "discrete") add("shares", "Probability of each state over time");
  else {
    for (let i = 0; i < Math.min(model.states + model.causes, STATES); i++) {
      add(`state ${i}`, `Mean and 95 % band of ${state(i)} over time`);
    }
  }
  add("surprise", "Surprise of each observation", true);
}

const channel = (i) => (names[i] && isNaN(names[i]) ? names[i] : model.width > 1 ? `observed ${i + 1}` : "observed");
const state = (i) => (i < model.states ? `state ${i + 1}` : `cause ${i - model.states + 1}`);

/** Forgets all rows. */
export function clear() {
  [rows, forecast] = [[], null];
  rings.clear();
  learned.replaceChildren();
}

/** Adds rows; `whole` are all that are kept. */
export function add(given, whole) {
  if (whole) rows = [];
  rows.push(...given);
  rows.splice(0, rows.length - ROWS);
}

/** The newest forecast; null keeps the one before until it is out of date. */
export function fan(given) {
  if (given) forecast = { ...given, at: rows.at(-1)?.line.t };
}

/** The numbers of the model. */
export function parameters({ names: all, values }) {
  all.forEach((name, i) => {
    if (!rings.has(name)) {
      const box = document.createElement("div");
      const label = document.createElement("p");
      const output = document.createElement("output");
      label.append(name, output);
      const canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${name} over time`);
      box.append(label, canvas);
      learned.append(box);
      // What is not learned stays hidden.
      box.hidden = true;
      rings.set(name, { ring: new Ring(400), canvas, output, box, first: values[i] });
    }
    const { ring, output, box, first } = rings.get(name);
    if (values[i] !== first) box.hidden = false;
    ring.push(values[i]);
    output.textContent = text(values[i], 4);
  });
}

function band(plot, low, high, tone, alpha) {
  const { context, x, y } = plot;
  const usable = low.map((v, i) => Number.isFinite(v) && Number.isFinite(high[i]));
  context.fillStyle = colour(tone);
  context.globalAlpha = alpha;
  for (let from = 0; from < low.length; from++) {
    if (!usable[from]) continue;
    let to = from;
    while (to + 1 < low.length && usable[to + 1]) to++;
    context.beginPath();
    for (let i = from; i <= to; i++) context.lineTo(x(i), y(high[i]));
    for (let i = to; i >= from; i--) context.lineTo(x(i), y(low[i]));
    context.fill();
    from = to;
  }
  context.globalAlpha = 1;
}

const finite = (value) => (value === null || value === undefined ? NaN : value);

function drawMissing({ context, x, top, bottom }) {
  context.fillStyle = colour("missing");
  rows.forEach(({ line: l }, i) => {
    if (!l.seen) context.fillRect(x(i - 0.5), top, x(1) - x(0), bottom - top);
  });
}

function drawChannel(canvas, i, count, ahead) {
  const seen = rows.map(({ beside }) => finite(beside.observed?.[i]));
  const mean = rows.map(({ beside }) => finite(beside.signal[i]));
  const deviation = rows.map(({ beside }) => Z * Math.sqrt(finite(beside.signal_variance[i])));
  const [low, high] = [mean.map((m, t) => m - deviation[t]), mean.map((m, t) => m + deviation[t])];
  const fans = ahead ? forecast.quantiles.map((rows_) => rows_.map((row) => finite(row[i]))) : [];
  const all = [...seen, ...low, ...high, ...fans.flat()];
  const plot = axes(canvas, channel(i), span(all, 0.002), count, [["seen", "observed"], ["belief", "series-1"], ...(ahead ? [["forecast", "series-6"]] : [])]);
  if (!plot) return;
  drawMissing(plot);
  const { context, x, y, top, bottom } = plot;
  if (ahead) {
    const shift = { ...plot, x: (t) => x(rows.length + t) };
    for (let q = 0; q < Math.floor(fans.length / 2); q++) band(shift, fans[q], fans[fans.length - 1 - q], "series-6", 0.18);
    line(shift, fans[Math.floor(fans.length / 2)], "series-6");
    context.strokeStyle = colour("edge");
    context.beginPath();
    context.moveTo(x(rows.length - 0.5), top);
    context.lineTo(x(rows.length - 0.5), bottom);
    context.stroke();
  }
  band(plot, low, high, "series-1", 0.22);
  context.fillStyle = colour("observed");
  seen.forEach((value, t) => {
    if (!Number.isFinite(value)) return;
    context.beginPath();
    context.arc(x(t), y(value), 1.7, 0, 7);
    context.fill();
  });
  line(plot, mean, "series-1");
  context.restore();
}

function drawState(canvas, i, count) {
  const of = ({ line: l }) => (i < model.states ? [l.mean[i], l.variance[i]] : [l.cause_mean?.[i - model.states], l.cause_variance?.[i - model.states]]);
  const mean = rows.map((row) => finite(of(row)[0]));
  const deviation = rows.map((row) => Z * Math.sqrt(finite(of(row)[1])));
  const [low, high] = [mean.map((m, t) => m - deviation[t]), mean.map((m, t) => m + deviation[t])];
  const plot = axes(canvas, `${state(i)}: mean and 95 % band`, span([...low, ...high], 0.01), count);
  if (!plot) return;
  const tone = `series-${1 + ((i + 2) % 6)}`;
  drawMissing(plot);
  band(plot, low, high, tone, 0.22);
  line(plot, mean, tone);
  plot.context.restore();
}

function drawShares(canvas, count) {
  const states = model.states;
  const tone = (k) => `series-${1 + (k % 7)}`;
  const legend = states <= 7 ? [...Array(states).keys()].map((k) => [`state ${k + 1}`, tone(k)]) : [];
  const plot = axes(canvas, "probability of each state", [0, 1], count, legend);
  if (!plot) return;
  let below = rows.map(() => 0);
  for (let k = 0; k < states; k++) {
    const above = rows.map(({ line: l }, t) => below[t] + l.belief[k]);
    band(plot, below, above, tone(k), 0.85);
    below = above;
  }
  plot.context.restore();
}

function drawSurprise(canvas, count) {
  const values = rows.map(({ line: l }) => (l.seen ? -finite(l.increment) : NaN));
  const [low, high] = span(values, 0.002);
  const plot = axes(canvas, "surprise −ln p(o), nats", [Math.min(low, 0), high], count);
  if (!plot) return;
  const { context, x, y } = plot;
  const wide = Math.max((x(1) - x(0)) * 0.7, 1);
  context.fillStyle = colour("series-4");
  values.forEach((value, t) => {
    if (Number.isFinite(value)) context.fillRect(x(t) - wide / 2, Math.min(y(value), y(0)), wide, Math.abs(y(value) - y(0)));
  });
  context.restore();
}

/** Draws all panels. */
export function draw() {
  if (!model) return;
  const current = forecast && rows.length && rows.at(-1).line.t - forecast.at <= 10;
  const ahead = current ? forecast.quantiles[0].length : 0;
  const count = Math.max(rows.length + ahead, 40);
  for (const [name, canvas] of canvases) {
    const i = Number(name.split(" ")[1]);
    if (name === "shares") drawShares(canvas, count);
    else if (name === "surprise") drawSurprise(canvas, count);
    else if (name.startsWith("state")) drawState(canvas, i, count);
    else drawChannel(canvas, i, count, ahead);
  }
  for (const { ring, canvas } of rings.values()) spark(canvas, ring, "series-3");
}
