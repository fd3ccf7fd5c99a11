// The browser of the benchmarks: Chromium without a window, and without a GPU but one made of software.
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const FLAGS = { cpu: [], gpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] };

export function launch(engine) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROME, args: [...sandbox, ...FLAGS[engine]] });
}

/** Bytes in memory of all pages of a browser and, for the GPU's engine, of the process that computes for them. */
export async function memoryOf(browser, engine) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const types = engine === "gpu" ? ["renderer", "GPU"] : ["renderer"];
  const pages = processInfo.filter(({ type }) => types.includes(type)).map(({ id }) => String(id));
  const sizes = execFileSync("ps", ["-o", "rss=", "-p", pages.join(",")]).toString().trim().split("\n");
  return sizes.reduce((sum, size) => sum + Number(size) * 1024, 0);
}
