// The program with a page, and what the test does on it.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const children = [];

/** Ends what is left of the programs. */
export const end = () => children.forEach((child) => child.kill("SIGKILL"));

/** Starts `scotopic live` with these arguments; its address, its process, and how it ends. */
export async function live(...args) {
  const child = spawn(process.env.SCOTOPIC, ["live", "--no-open", "--port", "0", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const ended = new Promise((done) => child.on("exit", (code) => done(code)));
  const [url] = await Promise.race([
    new Promise((done) => createInterface(child.stdout).once("line", (line) => done([line]))),
    ended.then((code) => { throw new Error(`scotopic live ended with ${code}`); }),
  ]);
  return { url, child, ended, memory: () => memory(child.pid) };
}

/** Resident memory of a process, in MiB. */
function memory(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(kilobytes) / 1024;
}

/** A page whose errors and requests are noted. */
export async function open(context, url, complaints) {
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`error on the page: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`on the console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const outside = new URL(request.url()).host !== new URL(url).host && /^(http|ws)/.test(request.url());
    if (outside) complaints.push(`fetched from elsewhere: ${request.url()}`);
  });
  if (process.env.PAGE) {
    await page.route("**/*", (route) => {
      const name = new URL(route.request().url()).pathname.split("/").pop() || "index.html";
      const path = join(process.env.PAGE, name);
      const contentType = { js: "text/javascript", css: "text/css", html: "text/html", svg: "image/svg+xml" }[name.split(".").pop()];
      return existsSync(path) ? route.fulfill({ path, contentType }) : route.continue();
    });
  }
  await page.goto(url);
  await page.waitForSelector("#connection[data-state=open]");
  return page;
}

/** What a part of the page says. */
export const says = (page, id) => page.locator(`#${id}`).textContent();

/** Waits until what a part of the page says is as wanted, and says it. */
export async function until(page, id, wanted, what, patience = 15000) {
  const end = Date.now() + patience;
  let text = "";
  while (Date.now() < end) {
    text = await says(page, id);
    if (wanted(text)) return text;
    await page.waitForTimeout(50);
  }
  throw new Error(`${what}: #${id} says ${JSON.stringify(text)}`);
}

/** The last number in a text. */
export const number = (text) => Number((text.match(/[−-]?\d[\d.]*/g)?.at(-1) ?? "NaN").replace("−", "-"));

/** Draws a line through points of the unit square. */
export async function stroke(page, points) {
  await page.locator("#pad").scrollIntoViewIfNeeded();
  const box = await page.locator("#pad").boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 4 });
  await page.mouse.up();
}

/** A three. */
export const THREE = [[0.3, 0.25], [0.45, 0.15], [0.65, 0.2], [0.68, 0.35], [0.48, 0.48], [0.7, 0.58], [0.7, 0.76], [0.5, 0.86], [0.3, 0.76]];

/** Sets a slider as a hand does. */
export async function slide(page, id, value) {
  await page.locator(`#${id}`).evaluate((input, to) => {
    input.value = to;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}

/** The share of a canvas that is painted. */
export const painted = (page, id) => page.locator(`#${id}`).evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 100;
  return count / (data.length / 4);
});

/** A film as the bytes of an npy file: bars that move to the right by a pixel a frame. */
export function film(frames, size) {
  const dict = `{'descr': '|u1', 'fortran_order': False, 'shape': (${frames}, ${size}, ${size}), }`;
  const header = `${dict.padEnd(128 - 10 - 1)}\n`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  const at = (t, i) => (((i % size) - t + frames) % 8 < 4 ? 255 : 0);
  const pixels = Buffer.from(Array.from({ length: frames * size * size }, (_, i) => at(Math.floor(i / (size * size)), i)));
  return Buffer.concat([head, Buffer.from(header), pixels]);
}

/** The grey levels of a row across the middle of a canvas. */
export const row = (page, id) => page.locator(`#${id}`).evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, Math.floor(canvas.height / 2), canvas.width, 1);
  return Array.from({ length: canvas.width }, (_, i) => data[4 * i]).join(" ");
});
