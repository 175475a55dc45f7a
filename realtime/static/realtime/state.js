// What is known of a run, folded from its frames. As much as it has nodes, however often they are visited.

import { count, place } from "./points.js";

/**
 * @typedef {object} NodeState The newest visit of a node: a loop visits those in its body once an iteration.
 * @property {string} node_id
 * @property {string} scope where the visit is: the path of its iterations and branches
 * @property {string} name
 * @property {string} type
 * @property {?string} parent the container whose body the node is in
 * @property {string} status
 * @property {boolean} handled
 * @property {boolean} kept it ran in the run before, of which this one is a rerun
 * @property {number} attempt
 * @property {?string} port
 * @property {?object} error
 * @property {?object} usage
 * @property {?string} started_at
 * @property {?string} ended_at
 * @property {?number} duration_ms
 * @property {?string} due_at when its next attempt begins, of one that is "ready" for it
 * @property {?{completed: number, failed: number, skipped: number}} visits that have ended, of a node in a body
 * @property {?{fraction: number, message: string}} reached how far its attempt says it is, 0 to 1
 * @property {?{done: number, total: ?number}} progress iterations or branches that are over, of a container
 * @property {*} [output]
 * @property {number} [output_omitted] characters of an output too long for a frame
 *
 * @typedef {object} Stream The one that a node began last.
 * @property {string} scope of the visit that says it
 * @property {string} text
 * @property {number} length code points of it: what offsets count
 *
 * @typedef {object} Wait A visit that waits for something outside; several visits of a node may.
 * @property {string} node_id
 * @property {string} scope
 * @property {string} id of the waitpoint
 * @property {string} kind "human", "timer", "token" or "event"
 * @property {?string} prompt
 * @property {?object} schema JSON Schema of the answer
 * @property {object} form how to ask for it
 * @property {?{needed: number, voters: number}} votes
 * @property {?{type: string, matches: object}} event
 * @property {string} since
 * @property {?string} wakes_at
 * @property {?string} expires_at
 *
 * @typedef {object} RunState
 * @property {string} status
 * @property {?{reason: string, since: string}} pause why it is paused: "waiting", or "requested" by somebody
 * @property {number} paused_ms of the pauses that are over
 * @property {Map<string, Wait>} waits by visit, `<node>/<scope>`, the oldest first
 * @property {number} seq number of the last event
 * @property {number} known number of the last event that a snapshot, if there was one, knows of
 * @property {Map<string, NodeState>} nodes by id
 * @property {Map<string, string[]>} bodies the nodes in each container, by its id
 * @property {Map<string, Stream>} streams by id of the node
 * @property {Map<string, *>} metadata what nodes have said about the run, by key
 * @property {Map<string, number>} revisions how often they have, by key
 * @property {*} outputs
 * @property {number} [outputs_omitted]
 * @property {?object} error
 * @property {?string} ended_at
 */

const FINAL = { "execution:completed": "completed", "execution:failed": "failed", "execution:cancelled": "cancelled" };
const RANK = { pending: 0, ready: 1, running: 2, waiting: 3, completed: 4, failed: 4, skipped: 4, cancelled: 4 };
const BLANK = {
  handled: false, kept: false, attempt: 0, port: null, error: null, usage: null, started_at: null, ended_at: null,
  duration_ms: null, due_at: null, reached: null, progress: null, output: undefined, output_omitted: undefined,
};

/** @param {string} status of a run or a node */
export function isFinal(status) {
  return RANK[status] === RANK.completed;
}

/** @returns {RunState} */
export function emptyState() {
  const maps = { nodes: new Map(), bodies: new Map(), streams: new Map(), waits: new Map() };
  const said = { metadata: new Map(), revisions: new Map() };
  const pauses = { pause: null, paused_ms: 0 };
  return { status: "pending", seq: 0, known: 0, ...pauses, ...maps, ...said, outputs: null, error: null, ended_at: null };
}

/**
 * Fold a frame into a state. Applied twice, or after a newer one, an event changes nothing.
 * @param {RunState} state changed in place; it grows with the nodes, not with their visits
 * @param {object} frame
 * @returns {RunState}
 */
export function fold(state, frame) {
  const { type, data } = frame;
  if (type === "snapshot") return foldSnapshot(state, frame);
  if (type === "node:token") return foldToken(state, frame);
  if (type === "node:reached") return foldReached(state, frame);
  if (type === "execution:metadata") {
    // Of two that came in the wrong order, or of one that a snapshot has already, the newer stays.
    if (frame.revision > (state.revisions.get(frame.key) ?? 0)) {
      state.metadata.set(frame.key, frame.value);
      state.revisions.set(frame.key, frame.revision);
    }
    return state;
  }
  if (!frame.seq || frame.seq <= state.seq) return state;
  state.seq = frame.seq;
  if (type in FINAL) {
    state.status = FINAL[type];
    state.ended_at = frame.timestamp;
    if (state.pause) endPause(state, Date.parse(frame.timestamp) - Date.parse(state.pause.since));
    state.waits.clear();
    if ("outputs" in data) state.outputs = data.outputs;
    if (data.outputs_omitted) state.outputs_omitted = data.outputs_omitted;
    if (data.error) state.error = data.error;
    for (const node of state.nodes.values()) if (!isFinal(node.status)) cancelVisit(node, frame.timestamp);
  } else if (type === "execution:paused" || type === "execution:resumed") {
    if (frame.seq > state.known) foldPause(state, frame);
  } else if (type.startsWith("node:")) {
    if (state.status === "pending") state.status = "running";
    foldNode(state, frame);
  }
  return state;
}

/** Paused again before it has gone on, it is for another reason. */
function foldPause(state, { type, timestamp, data }) {
  if (type === "execution:resumed") {
    state.status = "running";
    endPause(state, data.paused_ms);
  } else {
    state.status = "paused";
    state.pause = { reason: data.reason, since: state.pause?.since ?? timestamp };
  }
}

function endPause(state, lasted) {
  state.paused_ms += Math.max(0, lasted);
  state.pause = null;
}

function foldSnapshot(state, frame) {
  state.status = frame.status;
  state.pause = frame.pause;
  state.paused_ms = frame.paused_ms;
  state.waits = new Map(frame.waitpoints.map((wait) => [visit(wait), wait]));
  state.metadata = new Map(Object.entries(frame.metadata ?? {}));
  state.revisions = new Map(Object.entries(frame.revisions ?? {}));
  state.known = frame.seq;
  for (const node of frame.nodes) {
    const { node_id, scope, parent } = node;
    const old = state.nodes.get(node_id);
    state.nodes.set(node_id, { ...old, ...(old?.scope === scope ? {} : BLANK), ...node });
    if (!old && parent) state.bodies.set(parent, [...(state.bodies.get(parent) ?? []), node_id]);
  }
  for (const [stream, { text }] of Object.entries(frame.streams)) beginStream(state, ...parted(stream), text);
  return state;
}

function foldNode(state, { type, seq, node_id, scope, timestamp, data }) {
  const isNews = seq > state.known; // otherwise a snapshot has it already, and what came after it
  const node = state.nodes.get(node_id) ?? stranger(node_id, scope, data);
  state.nodes.set(node_id, node);
  const end = type.slice("node:".length);
  if (isNews) foldWait(state, end, { node_id, scope }, data);
  if (isNews && node.visits && end in node.visits) node.visits[end] += 1;
  if (node.scope !== scope) {
    // The newest visit is the one that began last.
    if (!isNews || (type !== "node:started" && type !== "node:skipped")) return;
    forgetStream(state, node);
    Object.assign(node, BLANK, { scope, status: "pending" });
  }
  if (isNews && type === "node:started") node.progress = data.total == null ? null : { done: 0, total: data.total };
  if (type === "node:progress") {
    if (isNews) node.progress = { done: data.done, total: node.progress?.total ?? null };
  } else if (type === "node:retrying") {
    foldRetry(state, node, timestamp, data);
  } else {
    foldStatus(state, node, type, timestamp, data);
    settleBody(state, node);
  }
}

function foldWait(state, end, at, { waitpoint }) {
  if (end === "waiting") state.waits.set(visit(at), { ...at, ...waitpoint });
  else if (end === "completed" || end === "failed" || end === "cancelled") state.waits.delete(visit(at));
}

/** A node that no snapshot told of. */
function stranger(node_id, scope, { node_name, node_type }) {
  const visits = scope ? { completed: 0, failed: 0, skipped: 0 } : null;
  return { node_id, scope, name: node_name, type: node_type, parent: null, status: "pending", ...BLANK, visits };
}

function foldStatus(state, node, type, timestamp, data) {
  const status = type.slice("node:".length).replace("started", "running");
  const attempt = data.attempt ?? node.attempt;
  // A snapshot may know more than the events that follow it.
  if (attempt < node.attempt || (attempt === node.attempt && RANK[status] < RANK[node.status])) return;
  if (attempt > node.attempt && node.attempt) forgetStream(state, node);
  if (status === "cancelled") return cancelVisit(node, timestamp);
  Object.assign(node, { status, attempt, due_at: null, reached: null });
  if (type === "node:started") {
    Object.assign(node, { started_at: timestamp, ended_at: null, duration_ms: null, error: null });
  } else if (type !== "node:skipped" && type !== "node:waiting") {
    node.ended_at = timestamp;
    for (const name of ["duration_ms", "port", "usage", "error", "handled", "output", "output_omitted"]) {
      if (name in data) node[name] = data[name];
    }
  }
}

/** It failed, and waits for another attempt. */
function foldRetry(state, node, timestamp, { attempt, duration_ms, error, due_at }) {
  if (attempt < node.attempt) return;
  forgetStream(state, node);
  const due = { status: "ready", attempt: attempt + 1, due_at, reached: null };
  Object.assign(node, { ...due, ended_at: timestamp, duration_ms, error });
}

/** It may come late: a visit that is over is not told how far it was. */
function foldReached(state, { stream, fraction, message }) {
  const [id, scope] = parted(stream);
  const node = state.nodes.get(id);
  if (node?.scope === scope && !isFinal(node.status)) node.reached = { fraction, message };
  return state;
}

function cancelVisit(node, timestamp) {
  Object.assign(node, { status: "cancelled", due_at: null, reached: null });
  if (node.started_at && !node.ended_at) node.ended_at = timestamp;
}

/** In a body that its container is through with, and was never in, nothing was to be done. */
function settleBody(state, container) {
  const isThrough = container.status === "completed" || container.status === "skipped";
  for (const id of state.bodies.get(container.node_id) ?? []) {
    const node = state.nodes.get(id);
    if (node.scope || node.attempt) continue;
    node.status = isThrough ? "skipped" : "pending";
    settleBody(state, node);
  }
}

function foldToken(state, { stream, offset, text }) {
  const [id, scope] = parted(stream);
  let known = state.streams.get(id);
  if (offset === 0) {
    // Who comes back in the middle of a stream may be told its beginning again; another attempt forgot it before.
    const again = known?.scope === scope && known.text.startsWith(text);
    return again ? state : beginStream(state, id, scope, text);
  }
  if (known?.scope !== scope) {
    // Of several that a node has at the same time, the one that began last is kept.
    if (known || (state.nodes.get(id)?.scope ?? scope) !== scope) return state;
    known = { text: "", length: 0 };
  }
  const length = offset + count(text);
  if (offset > known.length) {
    // What is between was lost; the node's output will have it.
    state.streams.set(id, { scope, text: `${known.text} … ${text}`, length });
  } else {
    const kept = offset === known.length ? known.text : known.text.slice(0, place(known.text, offset));
    state.streams.set(id, { scope, text: kept + text, length });
  }
  return state;
}

function beginStream(state, id, scope, text) {
  state.streams.set(id, { scope, text, length: count(text) });
  return state;
}

function forgetStream(state, { node_id, scope }) {
  if (state.streams.get(node_id)?.scope === scope) state.streams.delete(node_id);
}

/** The name of a visit, as that of its stream: `<node>/<scope>`. */
export function visit({ node_id, scope }) {
  return `${node_id}/${scope}`;
}

/** A stream's name is that of its visit. */
export function parted(stream) {
  const cut = stream.indexOf("/");
  return [stream.slice(0, cut), stream.slice(cut + 1)];
}
