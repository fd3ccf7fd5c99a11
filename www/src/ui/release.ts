/** Which release of the shop's the page uses, who signed it, and how the page moved to the next one. */

import type { Status } from "ingle";
import { type NetworkMeter, size } from "../network.js";
import type { Session } from "../session.js";
import { byId, drawing, fill, h } from "./dom.js";

/** How often the page asks whether there is another release, in milliseconds: by the clock, whatever is clicked. */
const LOOK_MS = 10_000;
const SEAL = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2.5 19.5 5v6.2c0 4.6-3 8.4-7.5 10.3-4.5-1.9-7.5-5.7-7.5-10.3V5z" /><path d="m8.4 12 2.5 2.5 4.8-5" /></svg>';
/** What a bundle consists of, by the beginning of its files' names. */
const PART = /\/(delta|model|items|ids)-[0-9a-f]{16}\./;

/** A change of releases while the page was open. */
interface Moved {
  from: number;
  at: number;
  /** When the page asked. */
  since: number;
  clicks: number;
}

export const releaseBox = h("section", { class: "box release", "aria-labelledby": "release-title", hidden: true });

export function startRelease(session: Session, meter: NetworkMeter): void {
  let release: number | undefined;
  let since = 0;
  let moved: Moved | undefined;
  const draw = (): void => show(session.status, moved, meter);
  const move = async (from: number): Promise<void> => {
    moved = { from, at: performance.now(), since, clicks: (await session.recommender.history()).length };
    draw();
    tell(session.status, moved);
  };
  session.on("status", ({ bundle }) => {
    const now = bundle?.signed?.release;
    const before = release;
    release = now ?? release;
    draw();
    if (before !== undefined && now !== undefined && now !== before) void move(before);
  });
  meter.addEventListener("change", draw);
  const look = (): void => {
    if (document.hidden || !session.status.bundle?.signed) return;
    since = performance.now();
    // What fails is in the status: the page stays with what it has.
    session.look().catch(() => {});
  };
  setInterval(look, LOOK_MS);
  // A tab that comes back to the front may have missed one.
  document.addEventListener("visibilitychange", look);
}

function show({ bundle }: Status, moved: Moved | undefined, meter: NetworkMeter): void {
  const { signed = null } = bundle ?? {};
  releaseBox.hidden = !signed;
  if (!bundle || !signed) return;
  const { shop, release } = signed;
  fill(
    releaseBox,
    h("div", { class: "box-head" }, h("h3", { id: "release-title" }, "The shop’s release"), h("span", { class: "badge seal-badge", id: "release", "data-release": release }, release === undefined ? "kept here" : `release ${release}`)),
    h("p", { class: "signed" }, drawing(SEAL, "seal"), h("span", {}, "Signed by ", h("strong", {}, shop))),
    moved && h("p", { class: "note moved-words", id: "moved-words" }, `Moved from release ${moved.from} to ${release ?? "the next"} while you were looking. ${fetched(moved, bundle.bytes, meter)} ${kept(moved)}`),
    h("p", { class: "note" }, `This page knows the shop’s key and uses nothing that others have signed. It asks for a newer release every ${LOOK_MS / 1000} s, whatever you click.`),
  );
}

/** What was fetched for it. */
function fetched({ since }: Moved, whole: number, meter: NetworkMeter): string {
  const parts = meter.fetched.filter(({ path, last }) => last.at >= since && PART.test(path));
  const bytes = parts.reduce((sum, { last }) => sum + last.bytes, 0);
  if (bytes === 0) return "Nothing had to be fetched for it.";
  const differs = parts.some(({ path }) => path.includes("/delta-"));
  return differs ? `Fetched: ${size(bytes)}, the difference, of a model of ${size(whole)}.` : `Fetched: ${size(bytes)} of a model of ${size(whole)}, as whole files; a visit that is remembered here fetches the difference alone.`;
}

const kept = ({ clicks }: Moved): string => (clicks === 0 ? "" : clicks === 1 ? "Your click is still here." : `Your ${clicks} clicks are still here.`);

/** Says over the shop that it has moved, until that is put away. */
function tell({ bundle }: Status, moved: Moved): void {
  const notice = byId("moved");
  const close = h("button", { class: "icon small", type: "button", "aria-label": "Close", onclick: () => notice.replaceChildren() }, h("span", { "aria-hidden": "true" }, "×"));
  const words = `The shop published it while you were looking, and this page has moved to it. ${kept(moved)}`;
  fill(notice, drawing(SEAL, "seal"), h("div", {}, h("strong", {}, `Release ${bundle?.signed?.release ?? ""} is here`), h("p", { class: "note" }, words)), close);
}
