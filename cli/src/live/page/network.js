// The network tab.

import { on, send } from "./link.js";
import { countOf, decode, neuronOf, stepOf } from "./frames.js";
import { Ring, colour, picture, prepare, text, traces } from "./plots.js";
import * as stimulus from "./stimulus.js";
import * as dictionary from "./dictionary.js";

const of = (id) => document.getElementById(id);
const STEPS = 400; // of the traces and the raster
const energy = new Ring(STEPS);
const r2 = { spikes: new Ring(STEPS), rates: new Ring(STEPS) };
const spiked = new Ring(STEPS);
const silent = new Ring(STEPS);
const raster = document.createElement("canvas");
const rasterContext = raster.getContext("2d");
let say = () => {};
let state = null;
let frame = null;
let fresh = false;
let rows = new Map(); // the row of each neuron that has fired, in order of first spike
let tops = [];
let column = 0;
let stamps = [];

/** Whether there is a network. */
export const loaded = () => Boolean(state?.model);

function clearTraces() {
  for (const ring of [energy, r2.spikes, r2.rates, spiked, silent]) ring.clear();
  [rows, tops, column, stamps] = [new Map(), [], 0, []];
  raster.width = STEPS;
  raster.height = Math.max(state?.model?.latents ?? 1, 1);
  dictionary.reset();
}

function told(message) {
  const before = state;
  state = message;
  const { model } = message;
  const select = of("checkpoint");
  const names = [...select.options].map((option) => option.value).join("\n");
  if (names !== message.checkpoints.join("\n")) {
    select.replaceChildren(...message.checkpoints.map((id) => new Option(id.replace(/^\.\//, ""), id)));
    if (!message.checkpoints.length) select.replaceChildren(new Option("none found", ""));
  }
  if (message.shown) select.value = message.shown;
  of("model-title").textContent = model
    ? `${model.title}: ${model.latents} neurons, ${model.height}×${model.width} pixels${model.whitened ? ", whitened" : ""}`
    : "no network is loaded: scotopic train makes one, in a minute";
  of("freeze").textContent = message.running ? "Freeze" : "Go on";
  of("freeze").setAttribute("aria-pressed", String(!message.running));
  for (const name of ["contrast", "noise", "occlusion"]) slide(name, message[name], message[name]);
  slide("rate", Math.log10(message.rate), message.rate);
  if (model && (before?.serial !== message.serial || !before?.model)) {
    clearTraces();
    frame = null;
    stimulus.fit(model, message.serial);
  }
}

function slide(name, position, value) {
  const slider = of(name);
  // Not under the hand that moves it.
  if (document.activeElement !== slider) slider.value = position;
  document.querySelector(`output[for="${name}"]`).textContent = text(value, 2);
}

function bytes(buffer) {
  const message = decode(buffer);
  if (!message || !state?.model || message.serial !== state.serial) return;
  if (message.kind === "atoms") return dictionary.fit(state.model, message);
  // From rest: an earlier step than before.
  if (frame && message.step < frame.step) clearTraces();
  frame = message;
  fresh = true;
  const { steps, width } = message;
  for (let s = 0; s < steps; s++) {
    const row = message.rows.subarray(s * width, (s + 1) * width);
    energy.push(row[0]);
    r2.spikes.push(row[2]);
    r2.rates.push(row[3]);
    spiked.push(row[4]);
    silent.push(row[5]);
  }
  rasterise(message);
  dictionary.note(message.potential);
  const now = performance.now();
  stamps.push([now, message.step]);
  while (stamps.length > 2 && now - stamps[0][0] > 2000) stamps.shift();
}

function rasterise({ steps, spikes }) {
  if (!steps) return;
  // A ring of columns; what was there is wiped first.
  const from = column % STEPS;
  for (let s = 0; s < Math.min(steps, STEPS); s++) rasterContext.clearRect((from + s) % STEPS, 0, 1, raster.height);
  for (const word of spikes) {
    const neuron = neuronOf(word);
    if (!rows.has(neuron)) rows.set(neuron, rows.size);
    const count = countOf(word);
    dictionary.fire(neuron, count);
    rasterContext.globalAlpha = Math.min(0.55 + 0.15 * count, 1);
    rasterContext.fillStyle = colour("ink");
    rasterContext.fillRect((from + stepOf(word)) % STEPS, rows.get(neuron), 1, 1);
  }
  column += steps;
}

/** The spikes that are there in the ink of now. */
function recolour() {
  rasterContext.globalAlpha = 1;
  rasterContext.globalCompositeOperation = "source-in";
  rasterContext.fillStyle = colour("ink");
  rasterContext.fillRect(0, 0, raster.width, raster.height);
  rasterContext.globalCompositeOperation = "source-over";
  fresh = true;
}

function drawRaster() {
  const prepared = prepare(of("raster"));
  if (!prepared) return;
  const { context, width, height } = prepared;
  const [left, bottom] = [46, height - 18];
  const shown = Math.max(rows.size, 24);
  context.strokeStyle = colour("grid");
  context.strokeRect(left + 0.5, 0.5, width - left - 1, bottom - 1);
  const start = column > STEPS ? column % STEPS : 0;
  const scale = (width - left) / STEPS;
  context.imageSmoothingEnabled = false;
  const part = (from, count, at) => {
    if (count > 0) context.drawImage(raster, from, 0, count, shown, left + at * scale, 0, count * scale, bottom);
  };
  part(start, STEPS - start, 0);
  part(0, start, STEPS - start);
  context.fillStyle = colour("muted");
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText("1", left - 6, 8);
  context.fillText(String(shown), left - 6, bottom - 7);
  context.textBaseline = "alphabetic";
  const filled = Math.min(column, STEPS);
  const now = Math.min(left + filled * scale, width - 2);
  context.textAlign = now > left + 60 ? "right" : "left";
  context.fillText("now", now, height - 4);
  context.textAlign = "left";
  if (filled * scale > 160) context.fillText(`${filled} steps ago`, left, height - 4);
  context.save();
  context.translate(12, bottom / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText("neuron, by first spike", 0, 4);
  context.restore();
  of("raster-note").textContent = rows.size ? `${rows.size} of ${state.model.latents} neurons have fired` : "";
}

function mean(ring, count = 20) {
  const known = [...ring].slice(-count).filter(Number.isFinite);
  return known.length ? known.reduce((a, b) => a + b) / known.length : NaN;
}

function draw() {
  requestAnimationFrame(draw);
  if (!fresh || !frame || !state?.model || of("network").hidden) return;
  fresh = false;
  const { model } = state;
  // One scale for the three, so that they compare.
  const [low, high] = [Math.min(...frame.input), Math.max(...frame.input)];
  const scale = high - low > 1e-3 ? [low, high] : [low - 1, high + 1];
  picture(of("input"), frame.input, model, scale);
  picture(of("from-spikes"), frame.bySpikes, model, scale);
  picture(of("from-rates"), frame.byRates, model, scale);
  for (const name of ["spikes", "rates"]) {
    const value = mean(r2[name]);
    of(`r2-${name}`).textContent = isFinite(value) ? `R² ${text(value, 2)}` : "";
  }
  of("free-energy").textContent = text(mean(energy), 4);
  of("spikes").textContent = text(mean(spiked), 3);
  of("zeros").textContent = isFinite(mean(silent)) ? `${(100 * mean(silent)).toFixed(1)} %` : "–";
  const [first, last] = [stamps[0], stamps.at(-1)];
  const rate = stamps.length > 1 ? (1000 * (last[1] - first[1])) / (last[0] - first[0]) : NaN;
  of("measured-rate").textContent = text(rate, 3);
  traces(of("energy-trace"), "free energy, nats", [[energy, "series-1"]], 0.01);
  traces(of("r2-trace"), "R²", [[r2.spikes, "series-2", "spikes", 1], [r2.rates, "series-1", "rates", 2]], 0, [-0.2, 1.02]);
  drawRaster();
  dictionary.draw(frame.potential);
}

/** A key of the page. */
export function key(name) {
  const buttons = { f: "freeze", s: "step", r: "reset", c: "clear" };
  if (buttons[name]) of(buttons[name]).click();
}

/** Files that were dropped: an image, or a film. */
export const drop = (files) => stimulus.show(files, say);

/** The tab has come to the front. */
export function show() {
  fresh = true;
}

/** Listens to controls and messages. */
export function start(notice) {
  say = notice;
  stimulus.start(notice);
  on("network", told);
  on("bytes", bytes);
  const command = (name, value) => send("network", { do: name, ...value });
  of("freeze").addEventListener("click", () => command(state?.running ? "freeze" : "go"));
  of("step").addEventListener("click", () => command("step"));
  of("reset").addEventListener("click", () => command("reset"));
  of("look-again").addEventListener("click", () => command("list"));
  of("checkpoint").addEventListener("change", (event) => event.target.value && command("load", { id: event.target.value }));
  for (const name of ["contrast", "noise", "occlusion"]) {
    of(name).addEventListener("input", (event) => command(name, { value: Number(event.target.value) }));
  }
  of("rate").addEventListener("input", (event) => command("rate", { value: Math.round(10 ** Number(event.target.value)) }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  draw();
}
