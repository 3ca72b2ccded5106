// What is shown to the network: a drawing, an image, a film, or the camera, as grey or colour bytes of the model's size.

import { film } from "./film.js";
import { sendBytes } from "./link.js";

const FILM = 15; // frames a second of a film
const CAMERA = 30;

const FINE = 12; // canvas pixels for each pixel of the model
const pad = document.getElementById("pad");
const context = pad.getContext("2d", { willReadFrequently: true });
const small = document.createElement("canvas");
const reduced = small.getContext("2d", { willReadFrequently: true });
let shape = null;
let serial = 0;
let pen = { x: 0.5, y: 0.5, width: 0.09 };
let waiting = false;
let playing = null; // camera or film: { next, close }
let timer = 0;
let mine = false; // whether something was shown from here

/** Pictures are for this model from now on. */
export function fit(model, number) {
  const first = !shape;
  const same = !first && shape.width === model.width && shape.height === model.height;
  [shape, serial] = [model, number];
  if (!same) {
    const kept = document.createElement("canvas");
    [kept.width, kept.height] = [pad.width, pad.height];
    kept.getContext("2d").drawImage(pad, 0, 0);
    // Large enough for a fine line, whatever the model sees.
    const fine = Math.max(FINE, Math.ceil(280 / model.width));
    [pad.width, pad.height] = [model.width * fine, model.height * fine];
    [small.width, small.height] = [model.width, model.height];
    blank();
    if (!first) context.drawImage(kept, 0, 0, pad.width, pad.height);
  }
  pad.style.aspectRatio = `${model.width} / ${model.height}`;
  // Another page may have drawn what the network sees now.
  if (mine) changed();
}

/** Sends the picture at the next frame of the screen. */
function changed() {
  mine = true;
  if (waiting || !shape) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (!publish()) changed();
  });
}

function publish() {
  const { width, height, channels } = shape;
  reduced.imageSmoothingQuality = "high";
  reduced.drawImage(pad, 0, 0, width, height);
  const { data } = reduced.getImageData(0, 0, width, height);
  const pixels = width * height;
  const message = new Uint8Array(12 + channels * pixels);
  const head = new DataView(message.buffer);
  head.setUint8(0, 1);
  head.setUint8(1, channels);
  head.setUint32(4, serial, true);
  head.setUint16(8, height, true);
  head.setUint16(10, width, true);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 3) [message[12 + i], message[12 + pixels + i], message[12 + 2 * pixels + i]] = [r, g, b];
    else message[12 + i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return sendBytes(message);
}

function blank() {
  context.fillStyle = "#000";
  context.fillRect(0, 0, pad.width, pad.height);
}

/** An empty picture. */
export function clear() {
  stop();
  blank();
  changed();
}

/** The middle of an image, as large as fits. */
function cover(image, width, height) {
  const scale = Math.max(pad.width / width, pad.height / height);
  const [w, h] = [width * scale, height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(image, (pad.width - w) / 2, (pad.height - h) / 2, w, h);
  changed();
}

/** Shows an image, or a film again and again. */
async function load(files) {
  stop();
  const opened = await film(files);
  blank();
  if (opened) return play(opened, FILM);
  const image = await createImageBitmap(files[0]);
  cover(image, image.width, image.height);
  image.close();
}

const button = document.getElementById("camera");

function stop() {
  playing?.close();
  playing = null;
  clearTimeout(timer);
  button.setAttribute("aria-pressed", "false");
}

function play(source, rate) {
  playing = source;
  const tick = () => {
    if (playing !== source) return;
    const { image, width, height } = source.next();
    cover(image, width, height);
    timer = setTimeout(tick, 1000 / rate);
  };
  tick();
}

async function startCamera(notice) {
  if (!navigator.mediaDevices) {
    return notice("The camera is there for pages of this machine alone (browsers want an encrypted connection elsewhere): open the page at 127.0.0.1");
  }
  let camera;
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
  } catch (error) {
    return notice(`The camera cannot be used: ${error.message}`);
  }
  stop();
  const video = document.createElement("video");
  Object.assign(video, { srcObject: camera, muted: true });
  await video.play();
  button.setAttribute("aria-pressed", "true");
  const next = () => ({ image: video, width: video.videoWidth, height: video.videoHeight });
  play({ next, close: () => camera.getTracks().forEach((track) => track.stop()) }, CAMERA);
}

function stroke(x, y, on) {
  const wide = pen.width * pad.width;
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = wide;
  // A soft edge, as pen on paper has when it is scanned.
  context.shadowColor = "#fff";
  context.shadowBlur = 0.2 * wide;
  context.beginPath();
  context.moveTo((on ? pen.x : x) * pad.width, (on ? pen.y : y) * pad.height);
  context.lineTo(x * pad.width + 0.01, y * pad.height);
  context.stroke();
  context.shadowBlur = 0;
  [pen.x, pen.y] = [x, y];
  changed();
}

/** Shows files, or says why they cannot be shown. */
export function show(files, notice) {
  const [first] = files;
  load(files).catch((error) => {
    const own = error.message.startsWith(first.name);
    notice(own ? error.message : `${first.name} is no image or film that this browser reads`);
  });
}

/** Listens to mouse, touch, keys and buttons. */
export function start(notice) {
  let drawing = false;
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  pad.addEventListener("pointerdown", (event) => {
    stop();
    drawing = true;
    pad.setPointerCapture(event.pointerId);
    stroke(...place(event), false);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const each of all.length ? all : [event]) stroke(...place(each), true);
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (drawing = false));
  pad.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (event.key === " ") {
      drawing = !drawing;
      if (drawing) stroke(pen.x, pen.y, false);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (move) {
      const to = [pen.x + 0.03 * move[0], pen.y + 0.03 * move[1]].map((v) => Math.min(Math.max(v, 0), 1));
      if (drawing) stroke(...to, true);
      else [pen.x, pen.y] = to;
    } else return;
    event.preventDefault();
  });
  document.getElementById("clear").addEventListener("click", () => clear());
  document.getElementById("pen").addEventListener("input", (event) => (pen.width = Number(event.target.value)));
  document.getElementById("image").addEventListener("change", (event) => {
    const files = [...event.target.files];
    if (files.length) show(files, notice);
    event.target.value = "";
  });
  button.addEventListener("click", () => (button.getAttribute("aria-pressed") === "true" ? stop() : startCamera(notice)));
}
