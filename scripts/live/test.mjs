// The page of `scotopic live` in headless Chromium; see test.sh.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { THREE, end, film, live, number, open, painted, row, says, slide, stroke, until } from "./page.mjs";

const long = process.argv.includes("--long");
const shots = process.env.SCREENSHOTS;
const complaints = [];
// Files in place of the program's are of no address, and those may not open a WebSocket to this machine.
const args = ["--no-sandbox", ...(process.env.PAGE ? ["--disable-features=LocalNetworkAccessChecks"] : [])];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
const begun = Date.now();
const done = (what) => console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${what}`);
const look = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });

async function network() {
  const server = await live("runs");
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context, server.url, complaints);
  await until(page, "model-title", (text) => text.includes("256 neurons"), "the first checkpoint is loaded");
  await page.waitForTimeout(500);
  const [before, filled] = [number(await says(page, "r2-rates")), await painted(page, "raster")];
  await stroke(page, THREE);
  const after = await until(page, "r2-rates", (text) => number(text) > 0.5, "R² rises over a digit");
  assert.ok(!(before > 0.1), `R² was ${before} before anything was drawn`);
  await page.waitForTimeout(1500);
  const fuller = await painted(page, "raster");
  assert.ok(fuller > filled, `the raster fills: ${filled} to ${fuller}`);
  done(`a digit is drawn: ${after}, ${await says(page, "raster-note")}`);

  const rate = number(await until(page, "measured-rate", (text) => number(text) >= 30, "at least 30 steps a second"));
  done(`${rate} steps a second`);

  // Keys alone: the pen, a tab, freeze and step.
  await page.locator("#pad").focus();
  for (const key of ["Delete", " ", "ArrowRight", "ArrowRight", "ArrowDown", " "]) await page.keyboard.press(key);
  await until(page, "r2-rates", (text) => number(text) > 0.3, "R² rises over a line that was drawn with keys");
  await page.keyboard.press("f");
  await until(page, "freeze", (text) => text === "Go on", "f freezes");
  await page.keyboard.press("f");
  await until(page, "freeze", (text) => text === "Freeze", "and f goes on");
  await page.keyboard.press("c");
  await stroke(page, THREE);
  done("keys draw, freeze and go on");

  // A film moves; a file that is none is named, and the film before it is over.
  await page.setInputFiles("#image", { name: "bars.npy", mimeType: "", buffer: film(16, 16) });
  await page.waitForTimeout(300);
  const moments = new Set();
  for (let i = 0; i < 10; i++) {
    moments.add(await row(page, "pad"));
    await page.waitForTimeout(90);
  }
  assert.ok(moments.size >= 4, `a film has moments, and ${moments.size} were seen`);
  await page.setInputFiles("#image", { name: "broken.npy", mimeType: "", buffer: film(2, 4).subarray(0, 140) });
  await until(page, "notice", (text) => text.includes("broken.npy is shorter"), "a broken film is named");
  await page.keyboard.press("c");
  await stroke(page, THREE);
  done("a film plays");

  // Five pages see the same; a slider moves in all of them.
  const others = [];
  for (let i = 0; i < 4; i++) others.push(await open(await browser.newContext(), server.url, complaints));
  await slide(page, "contrast", 0.5);
  for (const each of [page, ...others]) {
    await until(each, "contrast + output", (text) => text.startsWith("0.5"), "the slider moves everywhere");
    await until(each, "measured-rate", (text) => number(text) >= 30, "every page sees at least 30 steps a second");
  }
  await slide(page, "contrast", 1);
  done("five pages at once");
  for (const each of others) await each.context().close();

  await page.waitForTimeout(1500);
  await page.locator("#atoms").click({ position: { x: 60, y: 20 } });
  await until(page, "atom-orientation", (text) => /^\d+°$/.test(text), "an atom has a preferred orientation");
  assert.ok((await painted(page, "atom-tuning")) > 0.005, "its curve is drawn");
  await look(page, "network-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(800);
  await look(page, "network-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(800);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} pixels wide on a phone of 390`);
  await look(page, "network-phone");
  await page.setViewportSize({ width: 1280, height: 900 });

  await page.selectOption("#checkpoint", "runs/small");
  await until(page, "model-title", (text) => text.includes("12 neurons, 8×8"), "another checkpoint is loaded");
  await until(page, "measured-rate", (text) => number(text) >= 30, "it runs");
  done("another checkpoint");

  if (long) await drawForAMinute(page, server);
  server.child.kill("SIGINT");
  assert.equal(await server.ended, 130, "Ctrl-C ends it");
  await context.close();
}

async function drawForAMinute(page, server) {
  await page.selectOption("#checkpoint", "runs/dead-leaves");
  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
  };
  const scribble = async (seconds) => {
    const end = Date.now() + 1000 * seconds;
    for (let t = 0; Date.now() < end; t++) {
      const point = (k) => [0.5 + 0.4 * Math.sin(0.7 * (t + k)), 0.5 + 0.4 * Math.cos(1.1 * (t + k))];
      await stroke(page, [point(0), point(0.5), point(1)]);
      if (t % 20 === 19) await page.keyboard.press("c");
    }
  };
  await scribble(15);
  const [heap0, resident0] = [await heap(), server.memory()];
  await scribble(60);
  const [heap1, resident1] = [await heap(), server.memory()];
  // Rings and queues are full after a quarter of a minute; what still grows is a leak. Allocators move by a few MiB.
  assert.ok(heap1 - heap0 < 2, `the page grew from ${heap0} to ${heap1} MiB`);
  assert.ok(resident1 - resident0 < 8, `the program grew from ${resident0} to ${resident1} MiB`);
  done(`a minute of drawing: page ${heap0.toFixed(1)} → ${heap1.toFixed(1)} MiB, program ${resident0.toFixed(1)} → ${resident1.toFixed(1)} MiB`);
}

async function filter() {
  const server = await live();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context, server.url, complaints);
  await page.locator("#tab-filter").click();
  await page.setInputFiles("#model-file", "walk.toml");
  await until(page, "filter-model", (text) => text.includes("walk.toml"), "the model is taken");
  await slide(page, "speed", 2.6);
  await page.setInputFiles("#data-file", "walk.csv");
  await until(page, "observations", (text) => text === "1 000", "1000 observations are streamed");
  const expected = readFileSync("walk.last", "utf8").trim();
  await until(page, "last-belief", (text) => text === expected, `the last belief is that of scotopic filter, ${expected}`);
  done("1000 observations: the last belief is that of scotopic filter, digit by digit");
  await page.locator("summary").click();
  await page.waitForTimeout(300);
  await look(page, "filter-light");

  // Learning, from the first observation again.
  await page.selectOption("#rule", "rmle");
  await page.waitForFunction(() => document.querySelectorAll("#parameters canvas").length >= 4);
  await until(page, "filter-data", (text) => text.includes("all seen"), "to the end");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(500);
  await look(page, "filter-dark");
  done("parameters as they are learned");

  // A model of another kind, whose series does not fit: said, and nothing lost.
  await page.setInputFiles("#model-file", { name: "broken.toml", mimeType: "text/plain", buffer: Buffer.from("kind = \"hmm\"\n") });
  await until(page, "notice", (text) => text.includes("broken.toml"), "a broken model is named");
  await page.setInputFiles("#model-file", "weather.toml");
  await until(page, "filter-model", (text) => text.includes("weather.toml"), "the model is taken");
  const counts = ["y", ...Array.from({ length: 300 }, (_, t) => (t === 120 ? "" : String(Math.floor(2 + 7 * (Math.floor(t / 40) % 2) + (t * 7) % 4))))];
  await page.setInputFiles("#data-file", { name: "counts.csv", mimeType: "text/csv", buffer: Buffer.from(counts.join("\n") + "\n") });
  await until(page, "observations", (text) => number(text) >= 290, "counts are filtered");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(500);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} pixels wide on a phone of 390`);
  await look(page, "filter-phone");
  done("another kind of model, on a phone");

  server.child.kill("SIGINT");
  assert.equal(await server.ended, 130, "Ctrl-C ends it");
  await until(page, "connection", (text) => text.includes("no connection"), "the page says that the program has ended");
  await context.close();
}

try {
  await network();
  await filter();
  // A connection that is refused after the program has ended is what the test wanted, and it is the test that reads canvases.
  const own = ["WebSocket connection to", "willReadFrequently"];
  const real = complaints.filter((text) => !own.some((part) => text.includes(part)));
  assert.deepEqual(real, [], "nothing to complain about");
  done("all well");
} finally {
  end();
  await browser.close();
}
