// Whatever the network does, who follows a run has heard what somebody heard to whom nothing happened.
import assert from "node:assert/strict";
import { test } from "node:test";
import { all, chance, event, module, network, node, settled, shown, snapshot, token } from "./fakes.mjs";

const { RunClient, emptyState, fold } = await module("flowmaestro.js");
const WORDS = ["Grüße ", "👋🏽", " a", "bc", "—", "🎉\n", "the end "];

/** Frames of a run in which a node says something in each of three iterations, sometimes in a second attempt. */
function story(random) {
  const frames = [event(1, "execution:started")];
  const texts = new Map();
  const tell = (type, data, scope) => frames.push(event(frames.filter(({ seq }) => seq).length + 1, type, data, { scope }));
  for (const scope of ["loop[0]", "loop[1]", "loop[2]"]) {
    let text = "";
    const attempts = random() < 0.4 ? 2 : 1;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      tell("node:started", { attempt }, scope);
      text = "";
      for (let piece = 0; piece < 2 + random() * 8; piece += 1) {
        const word = WORDS[Math.floor(random() * WORDS.length)];
        frames.push(token([...text].length, word, `write/${scope}`));
        text += word;
      }
      if (attempt < attempts) tell("node:retrying", { attempt, error: { message: "no" }, duration_ms: 1, due_at: null }, scope);
    }
    tell("node:completed", { attempt: attempts, output: { text }, duration_ms: 1, port: null, usage: null }, scope);
    texts.set(scope, text);
  }
  frames.push({ ...event(0, "execution:completed", { outputs: 1 }), seq: frames.filter(({ seq }) => seq).length + 1 });
  return { frames, texts };
}

/** What the server says first to who comes at that moment: rows may be ahead of what was told, here they are not. */
function snapshotOf(frames) {
  const state = frames.reduce(fold, emptyState());
  const streams = {};
  for (const [id, { scope, text }] of state.streams) {
    if (state.nodes.get(id)?.status === "running") streams[`${id}/${scope}`] = { offset: 0, text };
  }
  return snapshot(state.seq, { status: state.status, nodes: [...state.nodes.values()].map((each) => node(each.status, each)), streams });
}

/** Follows *frames* on a network that loses, doubles and cuts, and ends when the run does. */
async function followed({ frames, texts }, random, WebSocket, sockets, tick) {
  const run = new RunClient({ baseUrl: "http://site", executionId: "run", token: "t", WebSocket, random });
  const events = all(run.events());
  const said = [...texts.keys()].map((scope) => shown(run.stream("write", scope)));
  run.open();
  let at = Math.floor(random() * frames.length);
  let socket = null;
  for (let step = 0; run.state.seq < frames.at(-1).seq; step += 1) {
    assert.ok(step < 1000, "it does not come to its end");
    if (sockets.at(-1) !== socket) {
      socket = sockets.at(-1);
      socket.hear(snapshotOf(frames.slice(0, at)));
      // As the server: what is missing of the rows, whatever text there is being in the snapshot.
      for (const frame of frames.slice(0, at)) if (frame.seq > socket.after) socket.hear(frame);
    } else if (random() < 0.2) {
      socket.end([1006, 1001, 1011, 4408][Math.floor(random() * 4)]);
      at = Math.min(frames.length, at + Math.floor(random() * 4)); // it goes on meanwhile
    } else if (at < frames.length) {
      const frame = frames[at];
      at += 1;
      if (frame.type !== "node:token" || random() < 0.8) socket.hear(frame); // tokens may be dropped
      if (random() < 0.2) socket.hear(frame);
    }
    tick(20_000);
    await settled();
  }
  return { state: run.state, events: await events, texts: await Promise.all(said) };
}

test("events are each told once and texts are whole, whatever is lost, doubled or cut", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = chance(seed);
    const told = story(random);
    const { WebSocket, sockets } = network();
    const heard = await followed(told, random, WebSocket, sockets, (ms) => t.mock.timers.tick(ms));

    const numbered = told.frames.filter(({ seq }) => seq);
    assert.deepEqual(heard.events, numbered, `seed ${seed}`);
    assert.deepEqual(heard.texts, [...told.texts.values()], `seed ${seed}`);
    const plain = told.frames.reduce(fold, emptyState());
    for (const key of ["status", "seq", "outputs", "ended_at"]) assert.deepEqual(heard.state[key], plain[key], `seed ${seed}`);
    const looks = ({ status, attempt, output, scope, error }) => ({ status, attempt, output, scope, error });
    assert.deepEqual(looks(heard.state.nodes.get("write")), looks(plain.nodes.get("write")), `seed ${seed}`);
  }
});

test("folding is the same from any moment on, and however often", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = chance(seed);
    const { frames } = story(random);
    const plain = frames.reduce(fold, emptyState());
    const again = frames.flatMap((frame) => [frame, ...(random() < 0.3 ? [frame] : [])]);
    assert.deepEqual([...again, ...frames.filter(({ seq }) => seq)].reduce(fold, emptyState()), plain, `seed ${seed}`);
    const cut = Math.floor(random() * frames.length);
    const resumed = [snapshotOf(frames.slice(0, cut)), ...frames.filter(({ seq }) => seq)].reduce(fold, emptyState());
    const looks = ({ nodes }) => [...nodes.values()].map(({ status, scope, attempt, output }) => ({ status, scope, attempt, output }));
    assert.deepEqual(looks(resumed), looks(plain), `seed ${seed}`);
  }
});
