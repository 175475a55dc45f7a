// The runs of a workspace, as they are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { module, network } from "./fakes.mjs";

const { watchRuns, Closed, WrongRun } = await module("flowmaestro.js");

function run(id, minute, more = {}) {
  return { id, seq: 1, status: "running", created_at: `2026-05-04T12:0${minute}:00.5+00:00`, ...more };
}

function watch() {
  const net = network();
  const feed = watchRuns({ baseUrl: "https://site.example/flow", token: "t", WebSocket: net.WebSocket, random: () => 0 });
  const shown = () => [...feed.runs.values()].map(({ id, status }) => `${id} ${status}`);
  return { net, feed, shown };
}

test("runs are kept by age, the newest first, each as it was told last", () => {
  const { net, feed, shown } = watch();
  assert.equal(net.last().address.href, "wss://site.example/flow/ws/workspaces/current/");

  net.last().hear({ type: "runs", workspace_id: "w", runs: [run("b", 2), run("a", 1)] });
  net.last().hear({ type: "run", run: run("a", 1, { seq: 5, status: "completed" }) }, { type: "run", run: run("a", 1, { seq: 4 }) });
  net.last().hear({ type: "run", run: run("d", 4) }, { type: "run", run: run("c", 3) }, { type: "run", run: run("0", 0) });
  assert.deepEqual(shown(), ["d running", "c running", "b running", "a completed", "0 running"]);

  net.last().hear({ type: "run:gone", execution_id: "c" }, { type: "later", than: "this" });
  assert.deepEqual(shown(), ["d running", "b running", "a completed", "0 running"]);
  feed.close();
});

test("who comes back knows what is there, and nothing that is not", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { net, feed, shown } = watch();
  net.last().hear({ type: "runs", workspace_id: "w", runs: [run("a", 1)] });
  net.last().end(1006);
  t.mock.timers.tick(125);
  net.last().hear({ type: "runs", workspace_id: "w", runs: [run("b", 2)] });

  assert.deepEqual(shown(), ["b running"]);
  feed.close();
});

test("a ticket of another workspace is refused, and closing says so", async () => {
  const [refused, closed] = [watch(), watch()];
  refused.net.last().end(4403);
  closed.feed.close();

  await assert.rejects(refused.feed.ended, WrongRun);
  await assert.rejects(closed.feed.ended, Closed);
});
