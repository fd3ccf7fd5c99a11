import { launch } from "./chrome.mjs"; import { out } from "./made.mjs"; import { join } from "node:path"; import { serve } from "./serve.mjs";
const { url, stop } = await serve({ page: join(out, "page"), bundles: join(out, "bundles") });
for (const engine of process.argv[2].split(",")) for (const items of process.argv[3].split(",").map(Number)) for (const len of process.argv[4].split(",").map(Number)) {
  const b = await launch(engine); const page = await b.newPage();
  page.on("console", m => console.log("console", m.text()));
  const q = new URLSearchParams({ engine, worker: "false", bundle: `${url}bundles/${items}/`, k: "20" });
  for (let at = 0; at < len; at++) q.append("history", `item-${(at * 7919 + 13) % items}`);
  await page.goto(`${url}page/index.html#${q}`);
  const cold = await page.evaluate(async () => (await globalThis.contender).coldMs);
  const t = await page.evaluate(async ([n]) => { const c = await globalThis.contender; const o = []; for (let i = 0; i < 15; i++) { const s = performance.now(); await c.top(); o.push(performance.now() - s); } return o; }, [items]);
  t.sort((a, b) => a - b);
  console.log(engine, items, len, "cold", cold.toFixed(0), "warm median", t[7].toFixed(1), "min", t[0].toFixed(1));
  await b.close();
}
stop();
