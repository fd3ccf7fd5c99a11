// The browser of the benchmarks: Chromium without a window, and without a GPU but one made of software.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const FLAGS = { cpu: [], gpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] };
/** A browser is at rest when all its processes together work less than this share of a moment. */
const [REST, MOMENT_S, PATIENCE] = [0.05, 0.5, 60];

export function launch(engine) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROME, args: [...sandbox, ...FLAGS[engine]] });
}

/** An empty page in a browser at rest: beside a new one it loads pages of its own, which take seconds. */
export async function quietPage(context) {
  const page = await context.newPage();
  for (let moments = 0, before = await worked(context.browser()); moments < PATIENCE; moments += 1) {
    await sleep(MOMENT_S * 1000);
    const now = await worked(context.browser());
    if (now - before < REST * MOMENT_S) break;
    before = now;
  }
  return page;
}

/** Seconds of a processor that the browser has worked so far. */
async function worked(browser) {
  return (await processes(browser)).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

async function processes(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo;
}

/** Bytes that the machine holds for a page alone and, on the GPU's engine, for the process that computes for it. */
export async function memoryOf(page, engine) {
  const ids = [await processOf(page)];
  if (engine === "gpu") ids.push((await processes(page.context().browser())).find(({ type }) => type === "GPU").id);
  return ids.reduce((sum, id) => sum + privateBytes(id), 0);
}

/** The process that a page runs in, as a trace names it. */
async function processOf(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["blink.user_timing"] } });
  await page.evaluate(() => performance.mark("the page that is measured"));
  const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await done;
  await session.detach();
  return events.find(({ name }) => name === "the page that is measured").pid;
}

/** Linux tells them apart from what processes share, such as the browser's own code. */
function privateBytes(id) {
  const lines = readFileSync(`/proc/${id}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm);
  return [...lines].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
}
