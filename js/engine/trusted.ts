/** Addresses of this package's own scripts, as a page that demands Trusted Types takes them. */

interface Policy {
  createScriptURL(url: string): unknown;
}

let policy: Policy | undefined;

/** The address as the policy `ingle` gives it out; itself where there are no such types or the page allows no such policy. */
export function scriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  try {
    policy ??= trustedTypes?.createPolicy("ingle", { createScriptURL: (own) => own });
  } catch {
    // Without it the page refuses the worker, and the engine runs on the page's own thread.
  }
  return policy ? (policy.createScriptURL(url) as string) : url;
}
