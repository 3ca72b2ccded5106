// The page: tabs, keys, notices.

import { on, open } from "./link.js";
import * as network from "./network.js";
import * as filter from "./filter.js";

const tabs = { network, filter };
const of = (id) => document.getElementById(id);
let current = "network";

function show(name, focus = false) {
  current = name;
  for (const other of Object.keys(tabs)) {
    const chosen = other === name;
    const tab = of(`tab-${other}`);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
    of(other).hidden = !chosen;
  }
  tabs[name].show();
}

for (const name of Object.keys(tabs)) of(`tab-${name}`).addEventListener("click", () => show(name));
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const names = Object.keys(tabs).filter((name) => !of(`tab-${name}`).hidden);
  const step = event.key === "ArrowRight" ? 1 : names.length - 1;
  show(names[(names.indexOf(current) + step) % names.length], true);
});

document.addEventListener("keydown", (event) => {
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, textarea, input:not([type=range])");
  if (busy) return;
  if (event.key === "1" && !of("tab-network").hidden) show("network");
  else if (event.key === "2") show("filter");
  else tabs[current].key(event.key);
});

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  // Where they belong is said by what they are; an array may be a film or a series.
  const seen = (file) => /^(image|video)\//.test(file.type) || (file.name.endsWith(".npy") && current === "network");
  const files = [...event.dataTransfer.files];
  for (const [name, some] of [["network", files.filter(seen)], ["filter", files.filter((file) => !seen(file))]]) {
    if (!some.length || of(`tab-${name}`).hidden) continue;
    if (name !== current) show(name);
    tabs[name].drop(some);
  }
});

let silence = 0;
/** Says what went wrong, for a while. */
function notice(text) {
  const line = of("notice");
  line.textContent = text;
  line.hidden = !text;
  clearTimeout(silence);
  silence = setTimeout(() => (line.hidden = true), 12000);
}

on("hello", ({ tabs: there }) => {
  of("tab-network").hidden = !there.includes("network");
  if (!there.includes(current)) show("filter");
});
on("error", ({ message }) => notice(message));
on("connection", (state) => {
  const line = of("connection");
  line.dataset.state = state;
  line.textContent = state === "open" ? "connected" : "no connection: is scotopic live running?";
});

let chosen = false;
on("filter", ({ model, data }) => {
  // A model or a series on the command line says what is wanted, where there is no network.
  if (!chosen && (model || data) && !network.loaded()) show("filter");
  chosen = true;
});

network.start(notice);
filter.start(notice);
open();
