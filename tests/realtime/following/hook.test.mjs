// The React hook, on a small stand-in for what it uses of React. With React itself: react.real.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { event, module, network, settled, snapshot, token } from "./fakes.mjs";

const { makeHook } = await module("flowmaestro.js");

/** One component, rendered as React does it: what is remembered, and an outside store that is read while rendering. */
function mount(render, { strict = false } = {}) {
  let [memos, at, subscribed, renders] = [[], 0, null, 0];
  const React = {
    useMemo(make, needs) {
      const old = memos[at];
      if (!old || needs.some((need, index) => !Object.is(need, old.needs[index]))) memos[at] = { needs, value: make() };
      at += 1;
      return memos[at - 1].value;
    },
    useSyncExternalStore(subscribe, look) {
      const value = look();
      assert.ok(Object.is(value, look()), "what is looked at twice must be the same: React would render without end");
      if (subscribed?.subscribe !== subscribe) {
        subscribed?.leave();
        const join = () => subscribe(() => { if (!Object.is(look(), subscribed.value)) draw(); });
        if (strict) join()(); // StrictMode mounts, unmounts and mounts
        subscribed = { subscribe, leave: join() };
      }
      subscribed.value = value;
      return value;
    },
  };
  const use = makeHook(React);
  const component = { get renders() { return renders; }, unmount: () => subscribed.leave() };
  function draw() {
    at = 0;
    renders += 1;
    component.shown = render(use);
  }
  component.draw = draw;
  draw();
  return component;
}

function watching(t, more = {}, options = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const net = network();
  const where = { baseUrl: "https://site.example", WebSocket: net.WebSocket, random: () => 0, ...more };
  const component = mount((use) => use("run", "ticket", where), options);
  const drawn = (milliseconds = 16) => { t.mock.timers.tick(milliseconds); return component.shown; };
  return { net, component, drawn };
}

test("what a component sees is the run", async (t) => {
  const { net, component, drawn } = watching(t);
  const { resume, cancel, pause, ...before } = component.shown;
  assert.deepEqual(before, {
    status: "pending", completedNodes: [], currentNodes: [], streams: {}, isPaused: false, waitpoints: [], metadata: {},
    output: null, error: null, connection: "idle",
  });

  net.last().hear(snapshot(), event(1, "execution:started"), event(2, "node:started"), token(0, "He"), token(2, "y"));
  const { status, currentNodes, streams, connection } = drawn();
  assert.deepEqual([status, currentNodes, streams, connection], ["running", ["write"], { write: "Hey" }, "open"]);

  const waitpoint = { id: "w1", kind: "human", prompt: "Well?" };
  net.last().hear(event(3, "node:completed", { output: { text: "Hey you" } }));
  net.last().hear(event(4, "node:started", {}, { node_id: "ask" }), event(5, "node:waiting", { waitpoint }, { node_id: "ask" }));
  net.last().hear(event(6, "execution:paused", { reason: "waiting" }));
  const paused = drawn();
  assert.deepEqual([paused.isPaused, paused.waitpoints.map(({ id }) => id), paused.completedNodes], [true, ["w1"], ["write"]]);
  assert.deepEqual(paused.streams, { write: "Hey you" }); // the output has what was missed

  net.last().hear(event(7, "execution:resumed", { paused_ms: 5 }), event(8, "execution:completed", { outputs: { a: 1 } }));
  const over = drawn();
  assert.deepEqual([over.status, over.output, over.waitpoints, over.connection], ["completed", { a: 1 }, [], "over"]);
  assert.deepEqual([over.resume, over.cancel, over.pause], [resume, cancel, pause]);
});

test("a hundred frames are one picture, and what did not change is the same object", (t) => {
  const { net, component, drawn } = watching(t);
  net.last().hear(snapshot(), event(1, "node:started"));
  const before = drawn();
  const renders = component.renders;
  for (let at = 0; at < 100; at += 1) net.last().hear(token(at, "x"));
  const after = drawn();

  assert.equal(component.renders, renders + 1);
  assert.equal(after.streams.write, "x".repeat(100));
  assert.equal(after.currentNodes, before.currentNodes);
  net.last().hear({ type: "node:reached", stream: "write/", fraction: 0.5, message: "" }); // nothing that is shown
  drawn();
  assert.equal(component.renders, renders + 1);
});

test("rendering anew is no new connection, and another run is", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const net = network();
  const props = { id: "run" };
  const component = mount((use) => use(props.id, "ticket", { baseUrl: "https://site.example", WebSocket: net.WebSocket }));
  component.draw();
  assert.equal(net.sockets.length, 1);
  props.id = "other";
  component.draw();
  t.mock.timers.tick(0);

  assert.deepEqual(net.sockets.map(({ address }) => address.pathname), ["/ws/executions/run/", "/ws/executions/other/"]);
  assert.deepEqual(net.sockets.map(({ readyState }) => readyState), [3, 0]);
});

test("StrictMode's double mount is one connection", (t) => {
  const { net, drawn } = watching(t, {}, { strict: true });
  drawn(0);
  net.last().hear(snapshot(), event(1, "node:started"));

  assert.equal(drawn().status, "running");
  assert.deepEqual(net.sockets.map(({ readyState }) => readyState), [1]);
});

test("unmounting hangs up, and draws no more", (t) => {
  const { net, component, drawn } = watching(t);
  net.last().hear(snapshot(), event(1, "node:started"));
  const renders = component.renders;
  component.unmount();
  drawn(600_000);

  assert.deepEqual([net.sockets.length, net.last().readyState, component.renders], [1, 3, renders]);
});

test("without an id, or a way to a ticket, it waits for them", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const net = network();
  const props = [null, null];
  const component = mount((use) => use(...props, { baseUrl: "https://site.example", WebSocket: net.WebSocket }));
  assert.equal(net.sockets.length, 0);
  props.splice(0, 2, "run", "ticket");
  component.draw();

  assert.equal(net.sockets.length, 1);
  component.unmount();
  t.mock.timers.tick(0);
});

test("why it is followed no more is an error, and acts reach the API", async (t) => {
  const asked = [];
  const fetch = async (address, { headers, body }) => {
    asked.push([address.pathname, headers.Authorization, JSON.parse(body)]);
    return Response.json({ data: {} });
  };
  const { net, component, drawn } = watching(t, { fetch });
  await component.shown.resume("w1", { ok: true });
  net.last().end(4403);
  await settled();
  const seen = drawn();

  assert.deepEqual([seen.connection, seen.error.name, seen.error.code], ["refused", "WrongRun", 4403]);
  assert.deepEqual(asked, [["/api/v1/executions/run/resume", "Ticket ticket", { waitpoint_id: "w1", input: { ok: true } }]]);
  component.unmount();
  drawn();
});

test("on a server it is a run of which nothing is known yet", () => {
  const shown = makeHook({ useMemo: (make) => make(), useSyncExternalStore: (subscribe, look, blank) => blank() })("run", "ticket", {
    baseUrl: "https://site.example",
  });

  assert.deepEqual([shown.status, shown.connection, typeof shown.cancel], ["pending", "idle", "function"]);
});
