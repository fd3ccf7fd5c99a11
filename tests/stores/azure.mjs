// azure.mjs FOLDER ACCOUNT KEY: a server of Azure's blobs on a free port, with the container "shop" in it, whose address is
// written when it answers. It ends with its parent.
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";

const [folder, account, key] = process.argv.slice(2);
const log = console.log;
console.log = (line) => {
  const url = /http:\/\/[\d.]+:\d+/.exec(String(line))?.[0];
  if (url) container(url).then(() => log(url));
};
process.argv.splice(2, 3, "--location", folder, "--blobPort", "0", "--silent", "--skipApiVersionCheck", "--disableTelemetry");
createRequire(import.meta.url)(process.env.AZURITE);

async function container(url) {
  const sent = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-08-06" };
  const headers = Object.entries(sent).map(([name, value]) => `${name}:${value}\n`);
  const text = `PUT${"\n".repeat(12)}${headers.join("")}/${account}/${account}/shop\nrestype:container`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  const authorization = `SharedKey ${account}:${signature}`;
  const made = await fetch(`${url}/${account}/shop?restype=container`, { method: "PUT", headers: { ...sent, authorization } });
  if (!made.ok) throw new Error(await made.text());
}
