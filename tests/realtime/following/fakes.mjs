// A network that does what a test says, and a run told by hand.

const folder = new URL("../../../realtime/static/realtime/", import.meta.url);
export const module = (name) => import(new URL(name, folder).href);

/** A class of sockets: `sockets` are those that were opened, the newest last. */
export function network() {
  const sockets = [];
  class FakeSocket {
    readyState = 0;
    said = [];

    constructor(address, protocols) {
      Object.assign(this, { address: new URL(address), protocols });
      sockets.push(this);
      FakeSocket.opened?.(this);
    }

    send(text) { this.said.push(JSON.parse(text)); }

    close() { this.readyState = 3; }

    hear(...frames) {
      this.readyState = 1;
      for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
    }

    end(code) {
      this.readyState = 3;
      this.onclose?.({ code });
    }

    get after() { return Number(this.address.searchParams.get("after")); }
  }
  return { sockets, WebSocket: FakeSocket, last: () => sockets.at(-1) };
}

/** Lets what was promised happen; timers are the test's own. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export const AT = "2026-05-04T12:00:00+00:00";

export function snapshot(seq = 0, more = {}) {
  const run = { status: seq ? "running" : "pending", pause: null, paused_ms: 0, waitpoints: [], nodes: [] };
  return { type: "snapshot", seq, execution_id: "run", ...run, streams: {}, metadata: {}, ...more };
}

export function node(status, more = {}) {
  const blank = { handled: false, kept: false, attempt: 1, port: null, error: null, usage: null, started_at: AT };
  const rest = { ended_at: null, duration_ms: null, due_at: null, visits: null, progress: null, parent: null };
  return { node_id: "write", scope: "", name: "Write", type: "llm", status, ...blank, ...rest, ...more };
}

export function event(seq, type, data = {}, more = {}) {
  const about = type.startsWith("node:") ? { node_id: "write", scope: "" } : {};
  const told = type.startsWith("node:") ? { node_type: "llm", node_name: "Write", attempt: 1, ...data } : data;
  return { type, seq, timestamp: AT, execution_id: "run", ...about, ...more, data: told };
}

export function token(offset, text, stream = "write/") {
  return { type: "node:token", stream, offset, text };
}

/** Everything of a loop that has ended. */
export async function all(values) {
  const found = [];
  for await (const value of values) found.push(value);
  return found;
}

/** What a page shows that draws each piece. */
export async function shown(pieces) {
  let text = "";
  for await (const piece of pieces) {
    if (piece.offset === 0) text = "";
    if ([...text].length !== piece.offset) throw new Error(`a hole, or twice: ${piece.offset} after ${[...text].length}`);
    text += piece.text;
  }
  return text;
}

/** Numbers in [0, 1), the same in every run of a test. Source: mulberry32, Tommy Ettinger, public domain. */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
