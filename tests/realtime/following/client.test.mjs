// The client on a network that fails as the test says: what it does about it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { all, event, module, network, node, settled, shown, snapshot, token } from "./fakes.mjs";

const { connect, RunClient, BadMessage, BadTicket, Closed, UnknownRun, WrongRun } = await module("flowmaestro.js");
const { pauseBefore } = await module("connection.js");

const WHERE = { baseUrl: "https://site.example/flow", executionId: "run", token: "ticket", random: () => 0 };

function follow(more = {}) {
  const net = network();
  const run = new RunClient({ ...WHERE, WebSocket: net.WebSocket, ...more });
  const states = [];
  run.addEventListener("connection", ({ detail }) => states.push(detail));
  run.open();
  return { run, net, states };
}

function stopped(t, now = 0) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now });
  return (milliseconds) => t.mock.timers.tick(milliseconds);
}

test("the address is that of the run below the site's, and the ticket is no part of it", () => {
  const { net, run } = follow();

  assert.equal(net.last().address.href, "wss://site.example/flow/ws/executions/run/?after=0");
  assert.deepEqual(net.last().protocols, ["flowmaestro", "ticket"]);
  run.close();
});

test("the socket's own address will do, and says where the API is", async () => {
  const asked = [];
  const fetch = async (address) => { asked.push(address.href); return Response.json({ data: {} }); };
  const net = network();
  const run = connect({ url: "ws://site.example/flow/ws/executions/run/", token: "ticket", WebSocket: net.WebSocket, fetch });

  await run.pause();

  assert.equal(net.last().address.href, "ws://site.example/flow/ws/executions/run/?after=0");
  assert.deepEqual(asked, ["http://site.example/flow/api/v1/executions/run/pause"]);
  run.close();
});

test("what is missing to connect is said at once", () => {
  assert.throws(() => new RunClient({ token: "ticket", WebSocket: network().WebSocket }), /baseUrl and executionId/);
  assert.throws(() => new RunClient({ ...WHERE, url: "ws://x/y", WebSocket: network().WebSocket }), /not that of a run/);
  assert.throws(() => new RunClient({ ...WHERE, token: "", WebSocket: network().WebSocket }), /token, or getTicket/);
  assert.throws(() => new RunClient({ ...WHERE, WebSocket: null }), /no WebSocket here/);
});

test("who loses the connection comes back with the last number it has", (t) => {
  const tick = stopped(t);
  const { net, run, states } = follow();
  net.last().hear(snapshot(), event(1, "execution:started"), event(2, "node:started"));
  net.last().end(1006);
  tick(125);

  assert.deepEqual(net.sockets.map(({ after }) => after), [0, 2]);
  assert.deepEqual(states, ["connecting", "open", "retrying"]);
  net.last().hear(snapshot(2));
  assert.equal(states.at(-1), "open");
  run.close();
});

test("pauses grow to a quarter of a minute, half of each by chance, and begin anew when a connection stood", (t) => {
  assert.deepEqual([0, 1, 5, 20].map((tries) => pauseBefore(tries, 0)), [125, 250, 4000, 7500]);
  assert.ok(pauseBefore(20, 0.999) <= 15_000);

  const tick = stopped(t);
  const { net, run } = follow();
  for (const pause of [125, 250, 500, 1000]) {
    net.last().end(1006);
    const before = net.sockets.length;
    tick(pause - 1);
    assert.equal(net.sockets.length, before);
    tick(1);
    assert.equal(net.sockets.length, before + 1);
  }
  net.last().hear(snapshot());
  net.last().end(1006);
  tick(125);
  assert.equal(net.sockets.length, 6);
  run.close();
});

test("a server that fails, or is full, is given longer pauses even when it spoke", (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  for (const [code, pause] of [[1011, 125], [1013, 250], [1011, 500]]) {
    net.last().hear(snapshot());
    net.last().end(code);
    const before = net.sockets.length;
    tick(pause - 1);
    assert.equal(net.sockets.length, before);
    tick(1);
    assert.equal(net.sockets.length, before + 1);
  }
  run.close();
});

test("a network that comes back is not waited for", (t) => {
  const tick = stopped(t);
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => { delete globalThis.addEventListener; delete globalThis.removeEventListener; });
  const { net, run } = follow({ random: () => 0.99 });
  net.last().end(1006);
  page.dispatchEvent(new Event("online"));
  tick(0);

  assert.equal(net.sockets.length, 2);
  run.close();
});

test("a socket that went silent is left, and nothing it says later counts", (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  const [first] = net.sockets;
  first.hear(snapshot(), event(1, "execution:started"));
  const late = first.onmessage;
  tick(45_000);
  tick(125);
  net.last().hear(snapshot(1));

  assert.equal(first.onmessage, null);
  assert.equal(first.readyState, 3);
  assert.equal(net.sockets.length, 2);
  assert.equal(typeof late, "function");
  run.close();
});

test("pings are answered, and are a sign of life", (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  net.last().hear(snapshot());
  for (let minute = 0; minute < 3; minute += 1) {
    tick(20_000);
    net.last().hear({ type: "ping", seq: 0 });
  }

  assert.equal(net.sockets.length, 1);
  assert.deepEqual(net.last().said, Array(3).fill({ type: "pong" }));
  run.close();
});

test("a number that was left out is fetched by another connection, and one that comes twice is not told", async (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  const events = all(run.events());
  const changes = [];
  run.addEventListener("change", ({ detail }) => changes.push(detail.seq));
  net.last().hear(snapshot(), event(1, "execution:started"), event(3, "node:completed"));
  tick(125);
  const told = [event(1, "execution:started"), event(2, "node:started"), event(3, "node:completed")];
  net.last().hear(snapshot(3), ...told, event(4, "execution:completed", { outputs: { a: 1 } }));

  assert.deepEqual(net.sockets.map(({ after }) => after), [0, 1]);
  assert.deepEqual((await events).map(({ seq }) => seq), [1, 2, 3, 4]);
  assert.deepEqual(changes, [0, 1, 3, 2, 3, 4]); // of the two snapshots, 0 and 3
  assert.deepEqual(await run.finished, { status: "completed", outputs: { a: 1 }, error: null });
});

test("an error without a close is a connection that is lost", (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  net.last().onerror();
  tick(1000);
  tick(125);

  assert.equal(net.sockets.length, 2);
  run.close();
});

test("what is no JSON is a broken connection", (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  net.last().onmessage({ data: "<html>" });
  tick(125);

  assert.equal(net.sockets.length, 2);
  run.close();
});

for (const [code, Kind] of [
  [1003, BadMessage], [1009, BadMessage], [4400, BadMessage], [4401, BadTicket], [4403, WrongRun], [4404, UnknownRun],
]) {
  test(`close code ${code} is for good, and says why: ${Kind.name}`, async (t) => {
    const tick = stopped(t);
    const { net, run, states } = follow();
    const [events, pieces] = [all(run.events()), all(run.stream("write"))];
    net.last().end(code);
    tick(60_000);

    for (const failing of [run.finished, events, pieces]) {
      await assert.rejects(failing, (error) => error instanceof Kind && error.code === code && error.name === Kind.name);
    }
    assert.equal(net.sockets.length, 1);
    assert.equal(states.at(-1), "refused");
  });
}

for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4408]) {
  test(`close code ${code} before the end is worth coming back`, (t) => {
    const tick = stopped(t);
    const { net, run } = follow();
    net.last().hear(snapshot());
    net.last().end(code);
    tick(15_000);

    assert.equal(net.sockets.length, 2);
    run.close();
  });
}

test("the end of a run is the end of its loops, and the client hangs up first", async () => {
  const { net, run, states } = follow();
  const events = all(run.events());
  net.last().hear(snapshot(), event(1, "execution:failed", { error: { message: "no" }, duration_ms: 1 }));

  assert.deepEqual(await run.finished, { status: "failed", outputs: null, error: { message: "no" } });
  assert.equal((await events).length, 1);
  assert.deepEqual(await all(run.events()), []);
  assert.deepEqual([net.last().readyState, states.at(-1)], [3, "over"]);
});

test("of a run that was over before, its events are told to the last", async () => {
  const { net, run } = follow();
  const events = all(run.events());
  net.last().hear(snapshot(2, { status: "completed" }), event(1, "execution:started"));
  assert.equal(net.last().readyState, 1);
  net.last().hear(event(2, "execution:completed", { outputs: 7 }));

  assert.deepEqual((await events).map(({ seq }) => seq), [1, 2]);
  assert.equal((await run.finished).outputs, 7);
});

test("closing ends loops without an error, and leaves no timer", async (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  const [events, pieces] = [all(run.events()), all(run.stream("write"))];
  net.last().hear(snapshot(), event(1, "execution:started"));
  run.close();
  tick(600_000);

  await assert.rejects(run.finished, Closed);
  assert.deepEqual([(await events).length, (await pieces).length, net.sockets.length], [1, 0, 1]);
  assert.throws(() => run.open(), Closed);
});

// ---- the ticket

test("a ticket is renewed three minutes before it ends, and the new one is used", (t) => {
  const tick = stopped(t);
  const { net, run } = follow({ expiresAt: new Date(600_000).toISOString() });
  net.last().hear(snapshot());
  for (let at = 0; at < 420; at += 20) {
    assert.deepEqual(net.last().said.filter(({ type }) => type === "renew"), []);
    tick(20_000);
    net.last().hear({ type: "ping", seq: 0 });
  }
  assert.deepEqual(net.last().said.filter(({ type }) => type === "renew"), [{ type: "renew", token: "ticket" }]);
  net.last().hear({ type: "token", token: "younger", expires_at: new Date(1_320_000).toISOString() });
  net.last().end(1006);
  tick(125);

  assert.deepEqual(net.last().protocols, ["flowmaestro", "younger"]);
  run.close();
});

test("a clock that is wrong by hours renews in time, and once a minute at most", (t) => {
  const tick = stopped(t, 10 * 3600_000);
  const { net, run } = follow({ expiresAt: new Date(900_000).toISOString() });
  net.last().hear(snapshot());
  let renewed = 0;
  for (let second = 0; second < 120; second += 1) {
    tick(1000);
    net.last().hear({ type: "ping", seq: 0 });
    const asked = net.last().said.splice(0).filter(({ type }) => type === "renew");
    renewed += asked.length;
    if (asked.length) net.last().hear({ type: "token", token: "t", expires_at: new Date(900_000).toISOString() });
  }

  assert.ok(renewed >= 2 && renewed <= 3, `${renewed} times`);
  run.close();
});

test("a ticket that ended while the computer slept is replaced by one that is asked for", async (t) => {
  const tick = stopped(t);
  let asked = 0;
  const { net, run } = follow({ getTicket: async () => { asked += 1; return { token: `another${asked}` }; } });
  net.last().hear(snapshot());
  net.last().end(4401);
  tick(250);
  await settled();

  assert.deepEqual(net.last().protocols, ["flowmaestro", "another1"]);
  net.last().end(4401); // it is no good either: asking again would not help
  await assert.rejects(run.finished, BadTicket);
  assert.equal(asked, 1);
});

test("without a ticket one is asked for, until the network brings it", async (t) => {
  const tick = stopped(t);
  const answers = [new TypeError("fetch failed"), { token: "found" }];
  const getTicket = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { net, run } = follow({ token: undefined, getTicket });
  await settled();
  assert.equal(net.sockets.length, 0);
  tick(125);
  await settled();

  assert.deepEqual(net.last().protocols, ["flowmaestro", "found"]);
  run.close();
});

// ---- texts

test("who joins in the middle of a text is given what was said so far, then the rest", async () => {
  const { net, run } = follow();
  const pieces = all(run.stream("write"));
  net.last().hear(snapshot(2, { nodes: [node("running")], streams: { "write/": { offset: 0, text: "Grüße 👋" } } }));
  net.last().hear(event(1, "execution:started"), event(2, "node:started"), token(7, "🏽!"));
  const late = shown(run.stream("write"));
  net.last().hear(event(3, "node:completed", { output: { text: "Grüße 👋🏽! Bye." } }));

  assert.deepEqual(await pieces, [
    { offset: 0, text: "Grüße 👋" }, { offset: 7, text: "🏽!" }, { offset: 9, text: " Bye." },
  ]);
  assert.equal(await late, "Grüße 👋🏽! Bye.");
  assert.equal(await shown(run.stream("write")), "Grüße 👋🏽! Bye.");
  run.close();
});

test("what was said while nobody was connected comes with the next snapshot, or with the output", async (t) => {
  const tick = stopped(t);
  const { net, run } = follow();
  const pieces = all(run.stream("write"));
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "one "));
  net.last().end(1006);
  tick(125);
  net.last().hear(snapshot(1, { nodes: [node("running")], streams: { "write/": { offset: 0, text: "one two " } } }));
  net.last().hear(token(0, "one "), token(4, "two "), token(8, "three "));
  net.last().end(1006);
  tick(125);
  net.last().hear(snapshot(2, { nodes: [node("completed")] }), event(2, "node:completed", { output: "one two three four" }));

  assert.deepEqual((await pieces).map(({ text }) => text), ["one ", "two ", "three ", "four"]);
  run.close();
});

test("nothing behind a hole is given before the hole is filled", async () => {
  const { net, run } = follow();
  const pieces = all(run.stream("write"));
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "one "), token(8, "three "));
  net.last().hear(event(2, "node:completed", { output: { text: "one two three " } }));

  assert.deepEqual((await pieces).map(({ text }) => text), ["one ", "two three "]);
  run.close();
});

test("another attempt begins anew, also when it says the same at first", async () => {
  const { net, run } = follow();
  const pieces = all(run.stream("write"));
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "The c"));
  net.last().hear(event(2, "node:retrying", { error: {}, due_at: null }), event(3, "node:started", { attempt: 2 }));
  net.last().hear(token(0, "The "), token(4, "dog"), event(4, "node:completed", { attempt: 2, output: { text: "The dog" } }));

  assert.deepEqual(await pieces, [
    { offset: 0, text: "The c" }, { offset: 0, text: "The " }, { offset: 4, text: "dog" },
  ]);
  run.close();
});

test("old events that are told again behind a snapshot do not void the text it brought", async () => {
  const { net, run } = follow();
  const text = shown(run.stream("write"));
  net.last().hear(snapshot(3, { nodes: [node("running", { attempt: 2 })], streams: { "write/": { offset: 0, text: "Sec" } } }));
  net.last().hear(event(1, "node:started"), event(2, "node:retrying", { error: {} }), event(3, "node:started", { attempt: 2 }));
  net.last().hear(token(3, "ond"), event(4, "node:completed", { attempt: 2, output: 1 }));

  assert.equal(await text, "Second");
  run.close();
});

test("an output in other words than were thought aloud leaves these as they are", async () => {
  const { net, run } = follow();
  const text = shown(run.stream("write"));
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "Thinking…"), event(2, "node:completed", { output: "Done." }));

  assert.equal(await text, "Thinking…");
  run.close();
});

test("visits are told apart by their scope", async () => {
  const { net, run } = follow();
  const texts = [0, 1].map((index) => shown(run.stream("write", `par[${index}]`)));
  net.last().hear(snapshot());
  for (const index of [0, 1]) net.last().hear(event(index + 1, "node:started", {}, { scope: `par[${index}]` }));
  net.last().hear(token(0, "Zero", "write/par[0]"), token(0, "One", "write/par[1]"), token(4, "!", "write/par[0]"));
  for (const index of [0, 1]) net.last().hear(event(index + 3, "node:completed", { output: null }, { scope: `par[${index}]` }));

  assert.deepEqual(await Promise.all(texts), ["Zero!", "One"]);
  run.close();
});

test("a text too long for a frame is fetched where some of it was missed", async () => {
  const asked = [];
  const fetch = async (address, { headers }) => {
    asked.push([address.href, headers.Authorization]);
    const error = { code: "not_found", message: "There is none." };
    return asked.length === 1 ? Response.json({ data: { output: { text: "very long" } } }) : Response.json({ error }, { status: 404 });
  };
  const { net, run } = follow({ fetch });
  const [found, lost] = ["", "loop[0]"].map((scope) => all(run.stream("write", scope)));
  net.last().hear(snapshot(2), event(1, "node:completed", { output_omitted: 70_000 }));
  net.last().hear(event(2, "node:completed", { output_omitted: 70_000 }, { scope: "loop[0]" }));

  assert.deepEqual(await found, [{ offset: 0, text: "very long" }]);
  await assert.rejects(lost, { name: "ApiError", code: "not_found" });
  const node = "https://site.example/flow/api/v1/executions/run/nodes/write?";
  assert.deepEqual(asked, [[node, "Ticket ticket"], [`${node}scope=loop%5B0%5D`, "Ticket ticket"]]);
  run.close();
});

test("a text that was heard from its beginning needs no output", async () => {
  const { net, run } = follow();
  const text = shown(run.stream("write"));
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "all"), event(2, "node:completed", { output_omitted: 70_000 }));

  assert.equal(await text, "all");
  run.close();
});

test("a loop that is left hears no more", async () => {
  const { net, run } = follow();
  net.last().hear(snapshot(), event(1, "node:started"), token(0, "one"));
  for await (const { text } of run.stream("write")) {
    assert.equal(text, "one");
    break;
  }
  net.last().hear(token(3, "two"));

  assert.equal(await Promise.race([all(run.stream("write")), settled().then(() => "still going")]), "still going");
  run.close();
});
