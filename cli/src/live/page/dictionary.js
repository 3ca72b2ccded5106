// The atoms as tiles, which light up as their neurons fire; one of them in detail.

import { Ring, axes, colour, line, paint, picture, prepare, span, text, traces } from "./plots.js";
import { tuning } from "./tuning.js";

const canvas = document.getElementById("atoms");
const of = (id) => document.getElementById(id);
const sheet = document.createElement("canvas");
const history = new Ring(300);
let model = null;
let atoms = null;
let order = [];
let glow = null;
let counts = null;
let picked = 0;
let columns = 1;
let place = null;
let tuned = null; // tuning of the atom that is picked

/** The dictionary of a model; atoms by their norm, largest first. */
export function fit(shape, given) {
  [model, atoms] = [shape, given];
  const { latents, pixels } = atoms;
  const norms = new Float64Array(latents);
  for (let k = 0; k < latents; k++) {
    for (let i = 0; i < pixels; i++) norms[k] += atoms.atoms[k * pixels + i] ** 2;
  }
  order = [...norms.keys()].sort((a, b) => norms[b] - norms[a]);
  place = new Uint32Array(latents);
  order.forEach((neuron, at) => (place[neuron] = at));
  glow = new Float32Array(latents);
  counts = new Uint32Array(latents);
  layout();
  choose(order[0]);
}

function layout() {
  const wide = canvas.clientWidth || 800;
  const { latents } = atoms;
  const size = wide < 500 ? 26 : latents > 300 ? 34 : 40;
  columns = Math.max(4, Math.min(latents, Math.floor(wide / size)));
  const rows = Math.ceil(latents / columns);
  const { width, height } = model;
  // One pixel of air between tiles.
  [sheet.width, sheet.height] = [columns * (width + 1), rows * (height + 1)];
  const context = sheet.getContext("2d");
  context.clearRect(0, 0, sheet.width, sheet.height);
  const image = context.createImageData(width, height);
  order.forEach((neuron, at) => {
    const start = neuron * atoms.pixels;
    const part = atoms.atoms.subarray(start, start + atoms.pixels);
    const most = part.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
    paint(image, part, model.channels, -most, most);
    context.putImageData(image, (at % columns) * (width + 1), Math.floor(at / columns) * (height + 1));
  });
  canvas.style.aspectRatio = `${columns * (width + 1)} / ${rows * (height + 1)}`;
}

/** Notes spikes of a neuron. */
export function fire(neuron, count) {
  if (!glow) return;
  glow[neuron] = 1;
  counts[neuron] += count;
}

/** Forgets what was seen. */
export function reset() {
  glow?.fill(0);
  counts?.fill(0);
  history.clear();
}

/** Potentials of a frame. */
export function note(potential) {
  if (atoms) history.push(potential[picked]);
}

/** Draws tiles with their glow, and the one that is picked. */
export function draw(potential) {
  if (!atoms) return;
  const prepared = prepare(canvas);
  if (!prepared) return;
  const { context, width, height } = prepared;
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet, 0, 0, width, height);
  const across = width / columns;
  const down = height / Math.ceil(order.length / columns);
  order.forEach((neuron, at) => {
    const [x, y] = [(at % columns) * across, Math.floor(at / columns) * down];
    const rate = Math.exp(potential[neuron]);
    // Atoms whose neurons say little are dimmed.
    context.globalAlpha = 0.62 * Math.max(0, 1 - 2 * Math.sqrt(rate)) * (1 - glow[neuron]);
    context.fillStyle = colour("paper");
    context.fillRect(x, y, across, down);
    if (glow[neuron] > 0.03) {
      context.globalAlpha = glow[neuron];
      context.strokeStyle = colour("fired");
      context.lineWidth = 2.5;
      context.strokeRect(x + 1, y + 1, across - 3, down - 3);
    }
    glow[neuron] *= 0.86;
  });
  context.globalAlpha = 1;
  context.strokeStyle = colour("series-5");
  context.lineWidth = 3;
  const at = place[picked];
  context.strokeRect((at % columns) * across, Math.floor(at / columns) * down, across - 1, down - 1);
  detail(potential);
}

function detail(potential) {
  const start = picked * atoms.pixels;
  const part = atoms.atoms.subarray(start, start + atoms.pixels);
  const most = part.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  picture(of("atom-picture"), part, model, [-most, most]);
  of("atom-number").textContent = picked + 1;
  of("atom-rate").textContent = text(Math.exp(potential[picked]));
  of("atom-potential").textContent = text(potential[picked]);
  of("atom-spikes").textContent = counts[picked];
  traces(of("atom-trace"), "potential u", [[history, "series-1"]]);
  const [, high] = span(tuned.curve);
  const plot = axes(of("atom-tuning"), "drive by gratings of 0° to 180°", [0, high], tuned.curve.length);
  if (!plot) return;
  line(plot, tuned.curve, "series-2", 2);
  plot.context.restore();
}

function choose(neuron) {
  picked = neuron;
  history.clear();
  const start = picked * atoms.pixels;
  tuned = tuning(atoms.atoms.subarray(start, start + atoms.pixels), model);
  of("atom-orientation").textContent = `${tuned.preferred}°`;
  of("atom-frequency").textContent = tuned.frequency;
}

function pick(at) {
  const found = order[Math.min(Math.max(at, 0), order.length - 1)];
  if (found !== undefined && found !== picked) choose(found);
}

canvas.addEventListener("click", (event) => {
  if (!atoms) return;
  const box = canvas.getBoundingClientRect();
  const rows = Math.ceil(order.length / columns);
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
  pick(Math.floor(((event.clientY - box.top) / box.height) * rows) * columns + column);
});
canvas.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (!move || !atoms) return;
  event.preventDefault();
  pick(place[picked] + move);
});
new ResizeObserver(() => atoms && layout()).observe(canvas.parentElement);
