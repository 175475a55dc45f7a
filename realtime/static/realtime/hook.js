// A run for React: const run = useWorkflowExecution(executionId, token).

import { RunClient } from "./client.js";
import { prose } from "./wording.js";

const TOGETHER = 16; // milliseconds: frames may come by the hundred, and are drawn once a picture

/**
 * What a component sees: frozen, and another object only when something of it changed.
 * @typedef {object} Execution
 * @property {string} status
 * @property {readonly string[]} completedNodes ids of those whose newest visit completed
 * @property {readonly string[]} currentNodes ids of those that run
 * @property {Readonly<Record<string, string>>} streams what nodes say, or said last, by id
 * @property {boolean} isPaused
 * @property {readonly import("./state.js").Wait[]} waitpoints what the run waits for, the oldest first
 * @property {Readonly<Record<string, *>>} metadata what nodes have said about the run
 * @property {*} output
 * @property {?{message: string}} error why the run failed, or why it is followed no more
 * @property {string} connection "idle", "connecting", "open", "retrying", "over" or "refused"
 *
 * @typedef {object} Acts the same functions for as long as the run is the same
 * @property {(waitpointId?: string, input?: *) => Promise<*>} resume
 * @property {(reason?: string) => Promise<*>} cancel
 * @property {() => Promise<*>} pause
 *
 * @typedef {Omit<import("./client.js").RunOptions, "executionId" | "token" | "url" | "state">} HookOptions read when the
 * run, or the ticket, is another one
 */

/** @type {Execution} */
const NOTHING = Object.freeze({
  status: "pending", completedNodes: [], currentNodes: [], streams: {}, isPaused: false, waitpoints: [], metadata: {},
  output: null, error: null, connection: "idle",
});

/**
 * @param {{useMemo: Function, useSyncExternalStore: Function}} React 18 or newer, or what does the same
 * @returns {(executionId: ?string, token: ?string, options?: HookOptions) => Execution & Acts} a hook; without an id or
 * a way to a ticket it waits for them
 */
export function makeHook({ useMemo, useSyncExternalStore }) {
  return function useWorkflowExecution(executionId, token, options = {}) {
    const baseUrl = options.baseUrl ?? globalThis.location?.origin;
    const store = useMemo(
      () => new Store({ ...options, baseUrl, executionId, token }), [executionId, token, baseUrl, options.apiKey],
    );
    const seen = useSyncExternalStore(store.subscribe, store.look, blank);
    return useMemo(() => ({ ...seen, ...store.acts }), [seen, store]);
  };
}

function blank() {
  return NOTHING;
}

/** A run as React reads it: followed as long as somebody looks. */
class Store {
  #options;
  /** @type {?RunClient} */ #run = null;
  /** @type {Set<() => void>} */ #readers = new Set();
  #seen = NOTHING;
  #connection = "idle";
  /** @type {?Error} */ #refusal = null;
  /** @type {?number | object} a timer */ #drawing = null;
  /** @type {*} a timer */ #leaving = undefined;

  constructor(options) {
    this.#options = options;
    this.acts = Object.freeze({
      resume: async (waitpointId, input) => this.#any().resume(waitpointId, input),
      cancel: async (reason) => this.#any().cancel(reason),
      pause: async () => this.#any().pause(),
    });
  }

  look = () => this.#seen;

  subscribe = (changed) => {
    this.#readers.add(changed);
    clearTimeout(this.#leaving);
    this.#open();
    return () => {
      this.#readers.delete(changed);
      // React's StrictMode leaves and comes back in the same breath: that is no new connection.
      if (!this.#readers.size) this.#leaving = setTimeout(() => this.#leave(), 0);
    };
  };

  #open() {
    const { executionId, token, getTicket, apiKey } = this.#options;
    if (!executionId || !(token || getTicket || apiKey) || this.#run) return;
    const run = this.#any();
    this.#run = run;
    this.#refusal = null;
    run.addEventListener("change", () => this.#plan());
    run.addEventListener("connection", (event) => {
      this.#connection = /** @type {CustomEvent} */ (event).detail;
      this.#plan();
    });
    run.finished.catch((error) => {
      if (this.#run !== run) return; // it was left
      this.#refusal = error;
      this.#plan();
    });
    run.open();
  }

  /** To act on a run, nobody has to follow it. */
  #any() {
    return this.#run ?? new RunClient(this.#options);
  }

  #leave() {
    const run = this.#run;
    this.#run = null;
    clearTimeout(/** @type {*} */ (this.#drawing));
    this.#drawing = null;
    run?.close();
  }

  #plan() {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = null;
      this.#seen = this.#view(/** @type {RunClient} */ (this.#run).state);
      for (const changed of this.#readers) changed();
    }, TOGETHER);
  }

  /** @param {import("./state.js").RunState} state */
  #view({ status, nodes, streams, waits, metadata, outputs, error }) {
    const those = (wanted) => [...nodes.values()].filter((node) => node.status === wanted).map((node) => node.node_id);
    const said = [...streams].map(([id, stream]) => [id, whole(nodes.get(id), stream)]);
    return renewed(this.#seen, {
      status,
      completedNodes: those("completed"),
      currentNodes: those("running"),
      streams: Object.fromEntries(said),
      isPaused: status === "paused",
      waitpoints: [...waits.values()],
      metadata: Object.fromEntries(metadata),
      output: outputs,
      error: error ?? this.#refusal,
      connection: this.#connection,
    });
  }
}

/** Of a stream that was cut off, the output of its node has the rest. */
function whole(node, { scope, text }) {
  return (node?.scope === scope && node.status === "completed" && prose(node.output)) || text;
}

/** *next*, in which what is as it was in *old* is the same object. */
function renewed(old, next) {
  const kept = Object.entries(next).map(([key, value]) => [key, isSame(old[key], value) ? old[key] : value]);
  return kept.every(([key, value]) => old[key] === value) ? old : Object.freeze(Object.fromEntries(kept));
}

function isSame(one, other) {
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && one[key] === other[key]);
}
