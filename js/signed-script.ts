/** What `bundle/signed.ts` has, for the plain script: it is loaded from beside it by pages that know a shop's keys. */

import { base } from "./beside-script.js";
import type { SignedHost, SignedRelease } from "./bundle/signed.js";
import type { Trust } from "./types.js";

export async function readSigned(trust: Trust, host: SignedHost): Promise<SignedRelease> {
  const address = new URL("signed.js", base(undefined));
  const module = (await import(/* webpackIgnore: true */ /* @vite-ignore */ address.href)) as typeof import("./bundle/signed.js");
  return module.readSigned(trust, host);
}
