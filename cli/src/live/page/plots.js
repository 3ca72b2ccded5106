// Drawing: canvases of the size of the screen, pictures, traces, a raster.

const colours = new Map();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colours.clear());

/** A colour of the style sheet. */
export function colour(name) {
  if (!colours.has(name)) {
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return colours.get(name);
}

/** The context of a canvas in units of the page, cleared; null while it is not shown. */
export function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const scale = Math.min(devicePixelRatio || 1, 2);
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "11px system-ui, sans-serif";
  return { context, width, height };
}

/** Paints `[channels, height, width]` from `low` (black) to `high` (white) into ImageData. */
export function paint(image, values, channels, low, high, at = 0) {
  const pixels = image.width * image.height;
  const gain = 255 / (high - low || 1);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[at + (channels === 3 ? c * pixels : 0) + i];
      image.data[4 * i + c] = (value - low) * gain;
    }
    image.data[4 * i + 3] = 255;
  }
}

/** A picture at one canvas pixel a pixel. */
export function picture(canvas, values, { channels, height, width }, [low, high]) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  paint(image, values, channels, low, high);
  context.putImageData(image, 0, 0);
}

/** The newest numbers of a quantity, in a ring. */
export class Ring {
  constructor(room) {
    this.values = new Float64Array(room).fill(NaN);
    this.count = 0;
  }
  push(value) {
    this.values[this.count % this.values.length] = value;
    this.count++;
  }
  clear() {
    this.values.fill(NaN);
    this.count = 0;
  }
  /** From the oldest that is kept. */
  *[Symbol.iterator]() {
    const room = this.values.length;
    for (let i = Math.max(0, this.count - room); i < this.count; i++) yield this.values[i % room];
  }
}

/** Round numbers from low to high. */
export function ticks(low, high, most = 3) {
  const rough = (high - low) / most;
  if (!(rough > 0) || !isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const all = [];
  for (let n = Math.ceil(low / step); n * step <= high + 1e-9 * step; n++) all.push(n * step);
  return all;
}

/** A number for people. */
export function text(value, digits = 3) {
  if (value === null || value === undefined || !isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(digits - 1).replace("-", "−");
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size || 1)));
  return value.toFixed(Math.min(decimals, 4)).replace("-", "−");
}

const LEFT = 46;
/** An empty plot: grid, ticks and title; the functions from data to the page. */
export function axes(canvas, title, [low, high], count, legend = []) {
  const prepared = prepare(canvas);
  if (!prepared) return null;
  const { context, width, height } = prepared;
  const [top, bottom] = [20, height - 6];
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  const x = (index) => LEFT + (index / Math.max(count - 1, 1)) * (width - LEFT - 6);
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const tick of ticks(low, high)) {
    context.strokeStyle = colour("grid");
    context.beginPath();
    context.moveTo(LEFT, y(tick));
    context.lineTo(width - 6, y(tick));
    context.stroke();
    context.fillStyle = colour("muted");
    context.textAlign = "right";
    context.fillText(text(tick), LEFT - 6, y(tick));
  }
  context.textAlign = "left";
  context.fillStyle = colour("ink");
  context.fillText(title, LEFT, 9);
  let right = width - 6;
  context.textAlign = "right";
  for (const [name, tone] of [...legend].reverse()) {
    context.fillStyle = colour("muted");
    context.fillText(name, right, 9);
    right -= context.measureText(name).width + 6;
    context.fillStyle = colour(tone);
    context.fillRect(right - 10, 7.5, 10, 3);
    right -= 20;
  }
  context.save();
  context.beginPath();
  context.rect(LEFT, top - 4, width - LEFT, bottom - top + 8);
  context.clip();
  return { context, x, y, width, height, top, bottom, left: LEFT };
}

/** A line through numbers, broken where there is none. */
export function line({ context, x, y }, values, tone, wide = 1.5) {
  context.strokeStyle = colour(tone);
  context.lineWidth = wide;
  context.lineJoin = "round";
  context.beginPath();
  let pen = false;
  let index = 0;
  for (const value of values) {
    if (Number.isFinite(value)) {
      if (pen) context.lineTo(x(index), y(value));
      else context.moveTo(x(index), y(value));
      pen = true;
    } else pen = false;
    index++;
  }
  context.stroke();
}

/** The span of numbers, a little wider; extremes beyond the given quantile of them are left out. */
export function span(values, cut = 0) {
  const known = [...values].filter(Number.isFinite).sort((a, b) => a - b);
  if (!known.length) return [0, 1];
  const low = known[Math.floor(cut * (known.length - 1))];
  const high = known[Math.ceil((1 - cut) * (known.length - 1))];
  const pad = 0.06 * (high - low || Math.abs(high) || 1);
  return [low - pad, high + pad];
}

/** Rings as lines over time, the newest at the right. */
export function traces(canvas, title, rings, cut = 0, bounds = null) {
  const all = rings.flatMap(([ring]) => [...ring]);
  const plot = axes(canvas, title, bounds ?? span(all, cut), rings[0][0].values.length,
    rings.length > 1 ? rings.map(([, tone, name]) => [name, tone]) : []);
  if (!plot) return;
  for (const [ring, tone, , wide] of rings) line(plot, ring, tone, wide);
  plot.context.restore();
}

/** The numbers of a ring as a line without axes, from edge to edge. */
export function spark(canvas, ring, tone) {
  const prepared = prepare(canvas);
  if (!prepared) return;
  const { context, width, height } = prepared;
  const values = [...ring];
  const [low, high] = span(values);
  const x = (index) => 2 + (index / Math.max(values.length - 1, 1)) * (width - 4);
  const y = (value) => height - 3 - ((value - low) / (high - low)) * (height - 6);
  context.strokeStyle = colour("grid");
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  line({ context, x, y }, values, tone);
}
