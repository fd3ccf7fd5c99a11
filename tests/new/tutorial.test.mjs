/** The shop's tutorial, gone through as it stands: INGLE names the program, TUTORIAL the folder to work in. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { freePort, start } from "../examples/shop.mjs";
import { visit } from "../examples/visit.mjs";
import { blocksFor, blocksOf, Reader } from "../documents.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { INGLE, TUTORIAL } = process.env;
const PAGE = "docs/tutorials/shop.md";

/** What a reader does once the site is served. */
const afterwards = ({ text }) => text.startsWith("ingle doctor http://localhost");

let browser, reader, packed;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROME || "/usr/bin/chromium", args: ["--no-sandbox"] });
  mkdirSync(join(TUTORIAL, "bin"));
  symlinkSync(INGLE, join(TUTORIAL, "bin/ingle"));
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", TUTORIAL], { cwd: join(root, "pkg"), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  packed = join(TUTORIAL, filename);
  const env = { ...process.env, PATH: `${join(TUTORIAL, "bin")}:${process.env.PATH}`, npm_config_prefer_offline: "true", npm_config_yes: "true" };
  reader = new Reader(TUTORIAL, env, (command) => {
    // The package is the one that is packed here, and the invented shop a smaller one.
    if (command === "npm install ingle") return `npm install ${packed}`;
    return command === "ingle new shop" ? `${command} --package ${join(root, "pkg")} --products 60 --shoppers 150` : command;
  });
});
after(() => browser?.close());

test("its commands and files make a site", { timeout: 600_000 }, () => {
  for (const block of blocksFor("tests/new/tutorial.test.mjs", PAGE, root)) if (!afterwards(block)) reader.read(block);
  assert.ok(reader.commands.length > 12, `${reader.commands.length} commands`);
});

test("its way to a bundle is that of the new shop's README", () => {
  const readme = blocksOf("shop/README.md", TUTORIAL);
  const commands = readme.flatMap(({ text }) => text.split("\n")).filter((line) => line.startsWith("ingle "));
  assert.equal(commands.length, 5);
  assert.match(commands.pop(), /^ingle serve /);
  assert.deepEqual(reader.commands.filter((line) => commands.includes(line)), commands);
});

for (const [script, ...served] of [["dev"], ["preview", "ingle doctor"]]) {
  test(`the site's shelf fills and follows clicks by npm run ${script}${served.length > 0 ? ", and `ingle doctor` has nothing against it" : ""}`, { timeout: 180_000 }, async (t) => {
    const port = await freePort();
    const { origin, stop } = await start("npm", ["run", script, "--", "--host", "127.0.0.1", "--strictPort", "--port", String(port)], { cwd: reader.folder, port });
    t.after(stop);
    const page = await (await browser.newContext()).newPage();
    await visit(page, { origin, title: "main", home: false });
    await page.context().close();
    if (served.length === 0) return;
    const { text } = blocksFor("tests/new/tutorial.test.mjs", PAGE, root).find(afterwards);
    const [program, ...words] = text.replace("http://localhost:4173", origin).split(" ");
    const { status, stdout } = spawnSync(program === "ingle" ? INGLE : program, words, { cwd: dirname(reader.folder), encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
}
