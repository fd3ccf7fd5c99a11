/** A real WordPress, on SQLite, with the plugin in it. */

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, run, start } from "./shop.mjs";
import { shelf, until } from "./visit.mjs";

/** The package that has WordPress as WordPress Playground ships it: installed, in an archive, with static files beside it and SQLite's driver. */
const BUILDS = "@wp-playground/wordpress-builds@0.9.19";
const VERSION = "6.5";
const here = fileURLToPath(new URL("wordpress", import.meta.url));

/** A new WordPress for the plugin in `folder`. */
export async function serveWordPress(folder) {
  const site = join(folder, "site");
  cpSync(unpacked(dirname(folder)), site, { recursive: true });
  cpSync(join(folder, "ingle"), join(site, "wp-content/plugins/ingle"), { recursive: true });
  cpSync(join(folder, "public/recommender"), join(site, "recommender"), { recursive: true });
  mkdirSync(join(site, "wp-content/mu-plugins"));
  for (const [from, to] of [["stand-ins.php", "wp-content/mu-plugins/stand-ins.php"], ["fill.php", "fill.php"]]) cpSync(join(here, from), join(site, to));
  const port = await freePort();
  process.env.PORT = String(port);
  assert.equal(run("php", ["fill.php", join(folder, "public/products.json")], site), "");
  rmSync(join(site, "fill.php"));
  // PHP's own server hands WordPress no address that looks like a file.
  writeFileSync(join(site, "favicon.ico"), "");
  return start("php", ["-S", `127.0.0.1:${port}`, "-t", site], { cwd: site, port, env: { PHP_CLI_SERVER_WORKERS: "4" } });
}

function unpacked(work) {
  const base = join(work, `wordpress-${VERSION}`);
  if (existsSync(join(base, "wp-config.php"))) return base;
  rmSync(base, { recursive: true, force: true });
  const parts = join(work, "wordpress-builds");
  mkdirSync(parts, { recursive: true });
  const [{ filename }] = JSON.parse(run("npm", ["pack", BUILDS, "--json", "--prefer-offline", "--pack-destination", parts], work));
  run("tar", ["xzf", filename, `package/src/wordpress/wp-${VERSION}.zip`, "package/src/sqlite-database-integration/sqlite-database-integration.zip", `package/public/wp-${VERSION}`], parts);
  const extract = (archive, to) => run("python3", ["-m", "zipfile", "-e", join(parts, "package/src", archive), to], work);
  cpSync(join(parts, `package/public/wp-${VERSION}`), base, { recursive: true });
  extract(`wordpress/wp-${VERSION}.zip`, base);
  extract("sqlite-database-integration/sqlite-database-integration.zip", join(base, "wp-content/plugins"));
  const driver = "plugins/sqlite-database-integration-main";
  const copied = readFileSync(join(base, "wp-content", driver, "db.copy"), "utf8");
  writeFileSync(join(base, "wp-content/db.php"), copied.replaceAll("'{SQLITE_IMPLEMENTATION_FOLDER_PATH}'", `__DIR__ . '/${driver}'`).replaceAll("{SQLITE_PLUGIN}", "sqlite-database-integration-main/load.php"));
  const settings = `define('WP_HOME', 'http://127.0.0.1:' . getenv('PORT'));\ndefine('WP_SITEURL', WP_HOME);\ndefine('DISABLE_WP_CRON', true);\ndefine('WP_HTTP_BLOCK_EXTERNAL', true);\n`;
  const config = readFileSync(join(base, "wp-config.php"), "utf8").replace("define( 'WP_DEBUG', false );", `define( 'WP_DEBUG', true );\ndefine( 'WP_DEBUG_DISPLAY', true );\n${settings}`);
  rmSync(parts, { recursive: true });
  // Written last: with it, it is whole.
  writeFileSync(join(base, "wp-config.php"), config);
  return base;
}

/** The shopper answers the banner. */
export async function allowByBanner(page) {
  await page.evaluate(() => wp_set_consent("preferences", "allow"));
  await until("the answer is followed", () => page.evaluate(() => document.querySelector("ingle-shelf").recommender.status.storage.kind), (kind) => kind === "indexeddb");
}

/** A basket, the settings, the products file and the block editor. */
export async function administer({ page, context, origin }) {
  const html = async (path) => (await fetch(origin + path)).text();
  const catalogue = async () => (await fetch(`${origin}/wp-content/uploads/ingle/products.json`)).json();
  const [first] = await catalogue();
  assert.match(first.price, /^£\d+\.\d\d$/);
  assert.equal((await catalogue()).length, 400);

  await page.goto(first.url);
  await page.locator("#add").click();
  await until("the basket is recorded", () => page.evaluate(async () => (await document.querySelector("ingle-shelf").recommender.history()).map(({ item, type }) => `${type} ${item}`)), (events) => events.includes(`cart ${first.id}`));
  assert.ok((await html(new URL(first.url).pathname)).includes('kind="similar"'), "similar products below");

  const admin = await context.newPage();
  await admin.goto(`${origin}/wp-login.php`);
  await admin.locator("#user_login").fill("admin");
  await admin.locator("#user_pass").fill("password");
  await admin.locator("#wp-submit").click();
  await admin.waitForURL(/wp-admin/);
  await admin.goto(`${origin}/wp-admin/options-general.php?page=ingle`);
  assert.equal(await admin.locator("#ingle-ids").inputValue(), "slug");
  await admin.locator("input[type=checkbox][name='ingle[below]']").uncheck();
  await admin.locator("#submit").click();
  await admin.locator(".notice-success, #setting-error-settings_updated").first().waitFor();
  assert.ok(!(await html(new URL(first.url).pathname)).includes('kind="similar"'), "nothing below");

  await admin.goto(`${origin}/wp-admin/post-new.php?post_type=page`);
  await admin.waitForFunction(() => globalThis.wp?.blocks?.getBlockType("ingle/privacy") && wp.data.select("core/editor").getCurrentPostId(), undefined, { timeout: 60_000 });
  const link = await admin.evaluate(async () => {
    const { dispatch, select } = wp.data;
    dispatch("core/block-editor").insertBlocks(wp.blocks.createBlock("ingle/shelf", { kind: "popular", heading: "From the editor", k: 5 }));
    dispatch("core/editor").editPost({ title: "Popular", status: "publish" });
    await dispatch("core/editor").savePost();
    return select("core/editor").getPermalink();
  });
  await page.goto(link);
  assert.equal(await page.locator("ingle-shelf").getAttribute("heading"), "From the editor");
  await until("the editor's shelf fills", () => shelf(page), ({ length }) => length === 5);

  await admin.evaluate(async (id) => {
    const [{ id: post }] = await wp.apiFetch({ path: `/wp/v2/product?slug=${id}` });
    await wp.apiFetch({ path: `/wp/v2/product/${post}`, method: "POST", data: { title: "Another & better name" } });
  }, first.id);
  await until("the products file has the new title", async () => (await catalogue()).find(({ id }) => id === first.id)?.title, (title) => title === "Another & better name");
}
