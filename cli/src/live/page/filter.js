// The filter tab.

import { on, send, sendBytes } from "./link.js";
import { text } from "./plots.js";
import * as beliefs from "./beliefs.js";

const of = (id) => document.getElementById(id);
const MOST = 8 << 20; // bytes of a message, as the program has it
let state = null;
let tell = () => {};
let fresh = false;

function told(message) {
  const before = state;
  state = message;
  const { model, data, running, speed } = message;
  of("filter-model").textContent = model ? `${model.name}: ${model.described}` : "no model: drop a model file (.toml), or start with --filter";
  of("filter-data").textContent = !data
    ? "no observations: drop a series (.csv, .tsv, .jsonl, .npy), or start with --csv"
    : `${data.name}${data.names?.length ? `: ${data.names.join(", ")}` : ""}${data.ended ? "; all seen" : ""}`;
  const going = running && !data?.ended;
  of("filter-go").textContent = going ? "Freeze" : data?.ended && data.repeatable ? "Replay" : "Go on";
  of("filter-go").setAttribute("aria-pressed", String(Boolean(model && data) && !running));
  const slider = of("speed");
  if (document.activeElement !== slider) slider.value = speed === null ? slider.max : Math.log10(speed);
  document.querySelector('output[for="speed"]').textContent = speed === null ? "fastest" : `${text(speed, 2)} / s`;
  const rules = of("rule");
  const wanted = ["", ...(model?.rules ?? [])];
  if ([...rules.options].map((o) => o.value).join() !== wanted.join()) {
    rules.replaceChildren(...wanted.map((name) => new Option(name || "nothing: parameters stay", name)));
  }
  // A rule without a name is the first.
  rules.value = message.rule === "" ? wanted[1] : wanted.includes(message.rule) ? message.rule : "";
  of("learned").hidden = message.rule === null;
  const columns = data?.names?.join() ?? "";
  if (before?.serial !== message.serial) {
    beliefs.fit(model, data?.names);
    of("last-belief").textContent = "";
  } else if ((before.data?.names?.join() ?? "") !== columns && model) beliefs.fit(model, data?.names);
  soFar(message.so_far);
  if ((message.trouble ?? "") !== (before?.trouble ?? "")) tell(message.trouble ?? "");
  fresh = true;
}

function soFar(numbers) {
  const { observations = 0, elbo = NaN, left_out: leftOut = 0 } = numbers ?? {};
  of("observations").textContent = observations.toLocaleString("en").replaceAll(",", " ");
  of("elbo").textContent = text(elbo, 5);
  of("per-observation").textContent = observations ? text(elbo / observations, 4) : "–";
  of("beliefs-note").textContent = leftOut ? `${leftOut} rows missing in part were taken as missing as a whole` : "";
}

function rows(message) {
  if (message.serial !== state?.serial || !state.model) return;
  beliefs.add(message.rows, message.whole);
  beliefs.fan(message.forecast);
  if (message.parameters) {
    beliefs.parameters(message.parameters);
    const { updates } = message.parameters;
    of("learned-note").textContent = updates === null ? "" : `${updates} updates`;
  }
  soFar(message.so_far);
  const last = message.rows.at(-1)?.line;
  if (last) of("surprise").textContent = text(last.seen ? -last.increment : NaN, 3);
  fresh = true;
}

/** The last line as it came, digit by digit. */
function lastLine(message) {
  const from = message.lastIndexOf('"line":');
  const to = message.lastIndexOf(',"beside":');
  const serial = Number(/"serial":(\d+)/.exec(message)?.[1]);
  if (from > 0 && to > from && serial === state?.serial) of("last-belief").textContent = message.slice(from + 7, to);
}

function draw() {
  requestAnimationFrame(draw);
  if (!fresh || of("filter").hidden) return;
  fresh = false;
  beliefs.draw();
}

/** Files that were dropped: models, or series. */
export const drop = (files) => files.forEach(take);

async function take(file) {
  if (file.size > MOST - 300) {
    return tell(`${file.name} has ${file.size} bytes, and a page may send ${MOST}: give it with --csv`);
  }
  if (file.name.toLowerCase().endsWith(".toml")) {
    return send("filter", { do: "model", name: file.name, text: await file.text() });
  }
  const name = new TextEncoder().encode(file.name).slice(-255);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const message = new Uint8Array(4 + name.length + bytes.length);
  message.set([2, name.length], 0);
  message.set(name, 4);
  message.set(bytes, 4 + name.length);
  if (!sendBytes(message, true)) tell("no connection: is scotopic live running?");
}

/** A key of the page. */
export function key(name) {
  const buttons = { f: "filter-go", s: "filter-step", r: "filter-restart" };
  if (buttons[name]) of(buttons[name]).click();
}

/** The tab has come to the front. */
export function show() {
  fresh = true;
}

/** Listens to controls and messages. */
export function start(notice) {
  tell = notice;
  on("filter", told);
  on("rows", rows);
  on("rows text", lastLine);
  const command = (name, value) => send("filter", { do: name, ...value });
  of("filter-go").addEventListener("click", () => command(state?.running && !state.data?.ended ? "freeze" : "go"));
  of("filter-step").addEventListener("click", () => command("step"));
  of("filter-restart").addEventListener("click", () => command("restart"));
  of("speed").addEventListener("input", ({ target }) => {
    command("speed", { value: target.value === target.max ? null : Math.round(10 ** Number(target.value)) });
  });
  of("rule").addEventListener("change", ({ target }) => command("learn", { rule: target.value || null }));
  for (const id of ["model-file", "data-file"]) {
    of(id).addEventListener("change", ({ target }) => {
      drop([...target.files]);
      target.value = "";
    });
  }
  addEventListener("resize", () => (fresh = true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (fresh = true));
  draw();
}
