import { afterEach, test } from "node:test";
import { IngleError } from "../../../js/errors.js";
import type { Reply, Request } from "../../../js/engine/protocol.js";
import { portPair, Rpc } from "../../../js/engine/rpc.js";
import { codeOf, equal, ok } from "../check.js";

const open: MessagePort[] = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

/** A connection whose far end answers as told. */
function connect(answer: (request: Request, send: (reply: Reply) => void) => void): { rpc: Rpc; send: (reply: Reply) => void } {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const send = (reply: Reply) => port2.postMessage(reply);
  port2.onmessage = ({ data }: MessageEvent<Request>) => answer(data, send);
  return { rpc: new Rpc(port1), send };
}

const explain = (rpc: Rpc, item: string, options = {}) => rpc.call("explain", { history: [item] }, options);
const click = (item: string) => [{ item, known: true, noise: 0, keep: 1 }];

test("answers find their calls, in whatever order they come", async () => {
  const held: (() => void)[] = [];
  const { rpc } = connect((request, send) => {
    const [item] = request.call === "explain" ? request.body.history : [];
    held.push(() => send({ kind: "answer", id: request.id, body: click(item ?? "") }));
    if (held.length === 3) held.reverse().forEach((release) => release());
  });
  const answers = await Promise.all(["a", "b", "c"].map((item) => explain(rpc, item)));
  equal(answers, ["a", "b", "c"].map(click));
});

test("the ports of one thread carry calls as they are, and nothing once they are closed", async () => {
  const [here, there] = portPair();
  const arrived: Request[] = [];
  there.onmessage = ({ data }: MessageEvent<Request>) => {
    arrived.push(data);
    there.postMessage({ kind: "answer", id: data.id, body: click("a") });
  };
  const rpc = new Rpc(here);
  equal(await explain(rpc, "a"), click("a"));
  here.close();
  const late = explain(rpc, "b").catch((error: { code: string }) => error.code);
  await Promise.resolve();
  rpc.die(new IngleError("disposed", "closed"));
  equal([await late, arrived.length], ["disposed", 1]);
});

test("errors arrive with their class, message and code", async () => {
  const { rpc } = connect(({ id }, send) => {
    send({ kind: "error", id, error: { name: "IngleError", code: "bundle/hash", message: "items changed" } });
  });
  const error = await explain(rpc, "a").catch((error: unknown) => error);
  ok(error instanceof IngleError, "it is an IngleError");
  equal([error.code, error.message], ["bundle/hash", "items changed"]);
});

test("a death rejects everything in flight and everything later, and is told once", async () => {
  const { rpc } = connect(() => {});
  const told: string[] = [];
  rpc.onDeath = ({ code }) => told.push(code);
  const calls = [explain(rpc, "a"), explain(rpc, "b")];
  rpc.die(new IngleError("engine/failed", "gone"));
  rpc.die(new IngleError("engine/timeout", "gone again"));
  for (const call of [...calls, explain(rpc, "c"), rpc.greeting]) equal(await codeOf(call), "engine/failed");
  equal(told, ["engine/failed"]);
});

test("last words of the far end are a death", async () => {
  const { rpc } = connect((_, send) => send({ kind: "fatal", error: { name: "RuntimeError", code: "engine/failed", message: "unreachable" } }));
  equal(await codeOf(explain(rpc, "a")), "engine/failed");
});

test("a call that is aborted rejects with the signal's reason, and its answer is dropped", async () => {
  const { rpc } = connect(({ id }, send) => setTimeout(() => send({ kind: "answer", id, body: click("late") }), 20));
  const controller = new AbortController();
  const call = explain(rpc, "a", { signal: controller.signal });
  controller.abort(new Error("moved on"));
  equal(await call.catch(({ message }: Error) => message), "moved on");
  equal(await explain(rpc, "b"), click("late"));
});

test("a call that is aborted already is never sent", async () => {
  let sent = 0;
  const { rpc } = connect(({ id }, send) => (sent++, send({ kind: "answer", id, body: [] })));
  await explain(rpc, "a", { signal: AbortSignal.abort() }).catch(() => {});
  await explain(rpc, "b");
  equal(sent, 1);
});

test("an engine that does not answer in time is dead", async () => {
  const { rpc } = connect(() => {});
  equal(await codeOf(explain(rpc, "a", { timeoutMs: 10 })), "engine/timeout");
  equal(await codeOf(explain(rpc, "b")), "engine/timeout");
});

test("the greeting is heard", async () => {
  const { rpc, send } = connect(() => {});
  send({ kind: "hello", engine: "cpu", release: "a build" });
  equal(await rpc.greeting, "a build");
});
