// Follows one run over its WebSocket. No dependency; the protocol is that of realtime/consumers.py.
//
//   const run = new RunClient({ url, token, after: 0 });
//   run.addEventListener("change", ({ detail: frame }) => draw(run.state, frame));
//   run.open();

/**
 * @typedef {object} NodeState
 * @property {string} node_id
 * @property {string} scope
 * @property {string} name
 * @property {string} type
 * @property {string} status
 * @property {boolean} handled
 * @property {number} attempt
 * @property {?string} port
 * @property {?object} error
 * @property {?object} usage
 * @property {?string} started_at
 * @property {?string} ended_at
 * @property {?number} duration_ms
 * @property {*} [output]
 * @property {number} [output_omitted] characters of an output too long for a frame
 *
 * @typedef {object} Stream
 * @property {string} text
 * @property {number} length code points of it: what offsets count
 *
 * @typedef {object} RunState
 * @property {string} status
 * @property {number} seq number of the last event
 * @property {Map<string, NodeState>} nodes by "<node>/<scope>"
 * @property {Map<string, Stream>} streams by the same
 * @property {*} outputs
 * @property {number} [outputs_omitted]
 * @property {?object} error
 * @property {?string} ended_at
 */

const FINAL = { "execution:completed": "completed", "execution:failed": "failed", "execution:cancelled": "cancelled" };
const RANK = { pending: 0, ready: 1, running: 2, waiting: 3, completed: 4, failed: 4, skipped: 4, cancelled: 4 };

/** Close codes after which the same client need not come back. */
const FOR_GOOD = new Set([1003, 1009, 4400, 4401, 4403, 4404]);
const PAUSES = [250, 500, 1000, 2000, 5000, 10_000]; // milliseconds, with up to half of it more by chance
const SILENCE = 45_000; // milliseconds without a frame: two pings are missing
const RENEW_BEFORE = 180_000; // milliseconds before the ticket ends

/** @param {string} status of a run or a node */
export function isFinal(status) {
  return RANK[status] === RANK.completed;
}

/** @returns {RunState} */
export function emptyState() {
  return { status: "pending", seq: 0, nodes: new Map(), streams: new Map(), outputs: null, error: null, ended_at: null };
}

/**
 * Fold a frame into a state. Applied twice, or after a newer one, an event changes nothing.
 * @param {RunState} state changed in place
 * @param {object} frame
 * @returns {RunState}
 */
export function fold(state, frame) {
  const { type, data } = frame;
  if (type === "snapshot") return foldSnapshot(state, frame);
  if (type === "node:token") return foldToken(state, frame);
  if (!frame.seq || frame.seq <= state.seq) return state;
  state.seq = frame.seq;
  if (type in FINAL) {
    state.status = FINAL[type];
    state.ended_at = frame.timestamp;
    if ("outputs" in data) state.outputs = data.outputs;
    if (data.outputs_omitted) state.outputs_omitted = data.outputs_omitted;
    if (data.error) state.error = data.error;
    for (const node of state.nodes.values()) if (!isFinal(node.status)) node.status = "cancelled";
  } else if (type.startsWith("node:")) {
    if (state.status === "pending") state.status = "running";
    foldNode(state, frame);
  }
  return state;
}

function foldSnapshot(state, frame) {
  state.status = frame.status;
  for (const node of frame.nodes) {
    const key = `${node.node_id}/${node.scope}`;
    state.nodes.set(key, { ...state.nodes.get(key), ...node });
  }
  for (const [key, { text }] of Object.entries(frame.streams)) state.streams.set(key, { text, length: count(text) });
  return state;
}

function foldNode(state, { type, node_id, scope, timestamp, data }) {
  const key = `${node_id}/${scope}`;
  const fresh = { node_id, scope, name: data.node_name, type: data.node_type, status: "pending", attempt: 0 };
  const node = state.nodes.get(key) ?? fresh;
  state.nodes.set(key, node);
  const status = type.slice("node:".length).replace("started", "running");
  const attempt = data.attempt ?? node.attempt;
  // A snapshot may know more than the events that follow it.
  if (attempt < node.attempt || (attempt === node.attempt && RANK[status] < RANK[node.status])) return;
  if (attempt > node.attempt && node.attempt) state.streams.delete(key);
  Object.assign(node, { status, attempt });
  if (type === "node:started") {
    Object.assign(node, { started_at: timestamp, ended_at: null, duration_ms: null, error: null });
  } else {
    node.ended_at = timestamp;
    for (const name of ["duration_ms", "port", "usage", "error", "handled", "output", "output_omitted"]) {
      if (name in data) node[name] = data[name];
    }
  }
}

function foldToken(state, { stream, offset, text }) {
  const known = state.streams.get(stream) ?? { text: "", length: 0 };
  if (offset === 0) {
    state.streams.set(stream, { text, length: count(text) });
  } else if (offset > known.length) {
    // What is between was lost; the node's output will have it.
    state.streams.set(stream, { text: `${known.text} … ${text}`, length: offset + count(text) });
  } else {
    const kept = offset === known.length ? known.text : [...known.text].slice(0, offset).join("");
    state.streams.set(stream, { text: kept + text, length: offset + count(text) });
  }
  return state;
}

/** Code points, as the server counts: a character outside the basic plane is one, though JavaScript says two. */
function count(text) {
  let points = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code < 0xdc00 && at + 1 < text.length) {
      points -= 1;
      at += 1;
    }
  }
  return points;
}

/**
 * Which edges were taken: "open", "taken" or "dead", in the order of *edges*. The rules of realtime/core/edges.py.
 * @param {Array<[string, string, string, ?string]>} edges source, target, type, port; in the order of their sources
 * @param {(id: string) => NodeState & {disabled?: boolean}} nodeOf
 */
export function edgeLooks(edges, nodeOf) {
  const into = new Map();
  return edges.map(([source, target, type, port]) => {
    const look = type === "body"
      ? bodyLook(nodeOf(source), nodeOf(target))
      : edgeLook(nodeOf(source), type === "back" ? leavesBy(port) : type, port, into.get(source) ?? []);
    if (type !== "back") into.set(target, [...(into.get(target) ?? []), look]);
    return look;
  });
}

/** How an edge back to a container leaves its node. */
function leavesBy(port) {
  if (port === null) return "success";
  return port === "error" ? "error" : "port";
}

function bodyLook(container, first) {
  if (container.status === "skipped") return "dead";
  if (["pending", "ready", "cancelled"].includes(container.status)) return "open";
  if (!["pending", "cancelled"].includes(first.status)) return "taken";
  return container.status === "completed" ? "dead" : "open";
}

function edgeLook(node, type, port, into) {
  switch (node.status) {
    case "completed":
      return type === "success" || (type === "port" && port === node.port) ? "taken" : "dead";
    case "failed":
      if (!node.handled) return "open";
      return type === "error" ? "taken" : "dead";
    case "skipped": {
      const passes = node.disabled && (!into.length || into.includes("taken"));
      return passes && type === "success" ? "taken" : "dead";
    }
    default:
      return "open";
  }
}

/**
 * A connection that comes back by itself, from the last number it has.
 * Events: "change" (detail: the frame that was folded), "connection" (detail: "connecting", "open", "retrying", "over",
 * "refused": the ticket, or the client, is no good any more).
 */
export class RunClient extends EventTarget {
  #url; #token; #expires; #socket = null; #tries = 0; #timers = new Map(); #wanted = false;

  /** @param {{url: string, token: string, expiresAt?: string, state?: RunState}} options */
  constructor({ url, token, expiresAt, state = emptyState() }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#expires = expiresAt ? Date.parse(expiresAt) : null;
    this.state = state;
  }

  open() {
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#socket?.close();
  }

  #connect() {
    this.#tell("connection", this.#tries ? "retrying" : "connecting");
    const address = new URL(this.#url);
    address.searchParams.set("after", String(this.state.seq));
    const socket = new WebSocket(address, ["flowmaestro", this.#token]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(code);
    this.#after("silence", SILENCE, () => socket.close());
  }

  #hear(frame) {
    this.#after("silence", SILENCE, () => this.#socket.close());
    switch (frame.type) {
      case "ping":
        this.#say({ type: "pong" });
        break;
      case "token":
        this.#token = frame.token;
        this.#expires = Date.parse(frame.expires_at);
        this.#renewInTime();
        break;
      case "snapshot":
        this.#tries = 0;
        this.#renewInTime();
        this.#tell("connection", "open");
        this.#fold(frame);
        break;
      default:
        this.#fold(frame);
    }
  }

  #fold(frame) {
    fold(this.state, frame);
    this.#tell("change", frame);
  }

  #closed(code) {
    clearTimeout(this.#timers.get("silence"));
    clearTimeout(this.#timers.get("renew"));
    if (!this.#wanted) return;
    if (FOR_GOOD.has(code) || (code === 1000 && isFinal(this.state.status))) {
      this.#wanted = false;
      this.#tell("connection", code === 1000 ? "over" : "refused");
      return;
    }
    const pause = PAUSES[Math.min(this.#tries, PAUSES.length - 1)] * (1 + Math.random() / 2);
    this.#tries += 1;
    this.#tell("connection", "retrying");
    this.#after("again", pause, () => this.#connect());
  }

  #renewInTime() {
    if (this.#expires === null) return;
    const wait = Math.max(0, this.#expires - Date.now() - RENEW_BEFORE);
    this.#after("renew", wait, () => this.#say({ type: "renew", token: this.#token }));
  }

  #say(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #after(name, milliseconds, act) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(act, milliseconds));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
