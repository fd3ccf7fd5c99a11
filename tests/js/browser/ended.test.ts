// A tab that is closed while it moves to a signed release, in each browser: with its worker, its locks and whatever it was
// writing. ENDINGS=all closes it at every step, as `./build.sh bench endings` does; otherwise at some.
// `tests/js/unit/ended.test.ts` ends every kind of move at every step, in memory.

import { after, before, test } from "node:test";
import { equal, ok, sleep, until } from "../check.js";
import { goldenAnswers, goldenFiles, goldenNext, type Site } from "../golden.js";
import { type Files, Shop } from "../signed.js";
import { BROWSERS, type Running, serveShop, type Visitor } from "./harness.js";
import type { Extra } from "./site.js";

/** Every so many steps a tab is closed. */
const EVERY = process.env["ENDINGS"] === "all" ? 1 : 32;
const { history, recommend } = goldenAnswers().cases[9]!;
const SELF_TEST = { history, items: recommend.slice(0, 10).map(({ item }) => item) };

for (const [name, start] of Object.entries(BROWSERS)) {
  let running: Running, site: Site;
  const extra: Extra = {};
  const shop = new Shop();
  let first: Files;
  before(async () => {
    [running, site] = await Promise.all([start(), serveShop(undefined, extra)]);
    shop.publish(goldenFiles(), { self_test: SELF_TEST });
    first = new Map(shop.files);
    shop.follow(goldenNext(), undefined, { self_test: SELF_TEST });
  });
  after(async () => {
    await running.close();
    await site.close();
  });

  /** What the host has from now on; nothing of a release if it is down. */
  const serve = (files: Files | undefined): void => {
    for (const file of Object.keys(extra)) delete extra[file];
    for (const [file, body] of files ?? []) extra[`/b/${file}`] = { body, headers: { "cache-control": "no-store" } };
  };
  const open = (visitor: Visitor) => visitor.call("open", { trust: shop.trust, engine: "cpu", consent: "granted" });
  const kept = async (visitor: Visitor) => {
    const found = await visitor.call("kept");
    equal(found.broken, [], "what has a manifest is whole");
    return found;
  };

  /** How a tab moves to the second release. */
  const MOVES: Record<string, (visitor: Visitor) => Promise<unknown>> = {
    "a page that stays open": (visitor) => visitor.call("update"),
    "a later visit": (visitor) => open(visitor),
  };
  for (const [what, move] of Object.entries(MOVES)) {
    test(`${name}: ${what}, closed while it moves to a release, leaves that before or the new one, whole`, { timeout: 3_600_000 }, async (t) => {
      const left = new Map<string, number>();
      let steps = 0;
      for (let at = 0; ; at += EVERY) {
        serve(first);
        const tab = await running.arrive(site);
        equal((await open(tab)).failure, undefined);
        await until(async () => (await kept(tab)).whole.length === 1, "the first release is kept");
        if (what === "a later visit") await tab.reload();
        serve(shop.files);
        await tab.call("endAt", at);
        let arrived = false;
        move(tab).then(() => (arrived = true), () => {});
        await until(async () => arrived || (await tab.call("steps")).over, "it ended, or arrived");
        // What is written beside the answer is written by then.
        if (arrived) await sleep(500);
        const { trace, over } = await tab.call("steps");
        const where = `closed before step ${at}: ${trace[at]}`;
        const next = await tab.another(site);
        await tab.tab.close();
        const found = await kept(next);
        ok(found.whole.length > 0, `${where}: nothing is left`);
        serve(undefined);
        const alone = (await open(next)).status;
        equal([alone.rung, alone.stale?.code], ["cpu", "bundle/http"], where);
        const name = alone.bundle?.name ?? "";
        ok(found.whole.includes(name), `${where}: ${name} of ${found.whole.join()}`);
        ok(name === "golden" || JSON.stringify(found.seen) === "[1,2]", `${where}: what is kept was seen`);
        left.set(name, (left.get(name) ?? 0) + 1);
        serve(shop.files);
        await next.reload();
        const { status } = await open(next);
        equal([status.bundle?.name, status.bundle?.signed?.release, status.stale], ["golden next", 2, null], where);
        await until(async () => (await kept(next)).whole.join() === "golden next", `${where}: it is kept, and nothing else`);
        // A commit that was ended has left its files at most.
        const { entries, seen } = await kept(next);
        const most = goldenNext().size + 1;
        ok(entries >= most && entries < 2 * most && JSON.stringify(seen) === "[1,2]", `${where}: ${entries} entries, ${JSON.stringify(seen)}`);
        await next.leave();
        steps = trace.length;
        if (!over) break;
      }
      equal([...left.keys()].sort(), ["golden", "golden next"], "both were left somewhere");
      t.diagnostic(`${steps} steps, closed at ${[...left.values()].reduce((sum, count) => sum + count)}: ${[...left].map(([name, count]) => `${name} ${count}`).join(", ")}`);
    });
  }
}
