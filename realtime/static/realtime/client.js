// Follows one run. No dependency; the protocol is that of realtime/consumers.py.
//
//   const run = connect({ baseUrl, executionId, token });
//   run.addEventListener("change", () => draw(run.state));
//   for await (const { offset, text } of run.stream("write")) offset ? show(text) : begin(text);
//   const { status, outputs } = await run.finished;

import { Connection } from "./connection.js";
import { Closed } from "./errors.js";
import { Queue } from "./queue.js";
import { Rest } from "./rest.js";
import { emptyState, fold, isFinal } from "./state.js";
import { Texts } from "./streams.js";

/**
 * @typedef {object} RunOptions
 * @property {string} [baseUrl] of the site: with *executionId* it says where the run is
 * @property {string} [executionId]
 * @property {string} [url] of the run's socket, `websocket_url` of who started it, in their place
 * @property {string} [token] a ticket for the run; with an *apiKey* it is asked for
 * @property {string} [expiresAt] of the ticket, ISO 8601
 * @property {() => Promise<{token: string, expires_at?: string}>} [getTicket] asked when there is none, or it is over
 * @property {string} [apiKey] for programs, to act on the run; a browser must not see one. Without it, and without
 * headers, the ticket decides: some allow to answer, none to cancel or pause
 * @property {Record<string, string>} [headers] of calls to the API: `X-CSRFToken`, say, of somebody who is logged in
 * @property {import("./state.js").RunState} [state] that is known already: what came after it is told
 * @property {typeof globalThis.WebSocket} [WebSocket] in Node before 22
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random] in [0, 1)
 *
 * @typedef {object} Finished
 * @property {string} status "completed", "failed" or "cancelled"
 * @property {*} outputs
 * @property {number} [outputs_omitted] characters of outputs too long for a frame: the API has them
 * @property {?object} error
 */

/** @param {RunOptions} options @returns {RunClient} that is connecting */
export function connect(options) {
  const run = new RunClient(options);
  run.open();
  return run;
}

/**
 * A connection that comes back by itself, from the last number it has.
 * Events: "change" (detail: the frame that was folded), "connection" (detail: "connecting", "open", "retrying", "over",
 * "refused": the ticket, or the client, is no good any more; `finished` says why).
 */
export class RunClient extends EventTarget {
  #connection; #rest; #path; #texts;
  /** @type {Set<Queue<object>>} */ #listeners = new Set();
  #over = false;
  /** @type {(run: Finished) => void} */ #resolve = () => {};
  /** @type {(error: Error) => void} */ #reject = () => {};

  /** @param {RunOptions} options */
  constructor({ baseUrl, executionId, url, state = emptyState(), ...options }) {
    super();
    const at = place(url, baseUrl, executionId);
    this.#rest = new Rest({ ...options, baseUrl: at.base }, () => this.token);
    this.#path = `executions/${at.id}`;
    this.state = state;
    /** How the run ended. Rejects when it will not be known: Refused, Closed. @type {Promise<Finished>} */
    this.finished = new Promise((resolve, reject) => { [this.#resolve, this.#reject] = [resolve, reject]; });
    this.finished.catch(() => {}); // who does not ask is not told, and that is no unhandled rejection
    this.#texts = new Texts((node, scope) => this.#output(node, scope));
    const asked = options.apiKey ? () => this.#rest.post(`${this.#path}/ticket`, {}) : undefined;
    this.#connection = new Connection({ token: null, getTicket: asked, ...options }, {
      address: () => withAfter(at.socket, this.state.seq),
      hear: (frame) => this.#hear(frame),
      tell: (name) => this.#tell("connection", name),
      lose: () => this.#texts.lose(),
      end: (error) => this.#end(error),
      isOver: () => this.#isOver(),
    });
  }

  /** The ticket as it was last renewed. @returns {?string} */
  get token() {
    return this.#connection.token;
  }

  open() {
    if (this.#over) throw new Closed();
    this.#connection.open();
  }

  /** Nothing is heard any more: loops over events and texts end, `finished` rejects unless the run is over. */
  close() {
    this.#connection.close();
    if (!this.#over) this.#finish(new Closed());
  }

  /**
   * Numbered events from now on, each once, in order, until the run is over. Before `open()`, or in the same breath as
   * `connect()`: from its first.
   * @returns {AsyncIterableIterator<object>}
   */
  events() {
    const queue = new Queue(() => this.#listeners.delete(queue));
    if (this.#over) queue.end();
    else this.#listeners.add(queue);
    return queue;
  }

  /**
   * What a node says in one visit, from its first word, until it is through; also when it began long ago. Of visits
   * that are through, those that are the newest of their node have it still. Throws ApiError.
   * @param {string} nodeId
   * @param {string} [scope] of the visit: the path of its iterations and branches
   * @returns {AsyncIterableIterator<import("./streams.js").Piece>}
   */
  stream(nodeId, scope = "") {
    return this.#texts.follow(nodeId, scope, this.state);
  }

  /** Answer a question of the run; without one, let it go on after a pause on request. Throws ApiError. */
  resume(/** @type {string | undefined} */ waitpointId = undefined, /** @type {*} */ input = undefined) {
    return this.#rest.post(`${this.#path}/resume`, waitpointId ? { waitpoint_id: waitpointId, input } : {});
  }

  /** End the run now. Throws ApiError. @param {string} [reason] */
  cancel(reason) {
    return this.#rest.post(`${this.#path}/cancel`, reason ? { reason } : {});
  }

  /** Start nothing new in the run until `resume()`. Throws ApiError. */
  pause() {
    return this.#rest.post(`${this.#path}/pause`, {});
  }

  #hear(frame) {
    const isNumbered = frame.seq && frame.type !== "snapshot";
    if (isNumbered && frame.seq <= this.state.seq) return;
    if (isNumbered && frame.seq > this.state.seq + 1) return this.#connection.restart();
    this.#texts.hear(frame, this.state);
    fold(this.state, frame);
    if (isNumbered) for (const listener of this.#listeners) listener.push(frame);
    this.#tell("change", frame);
  }

  /** It has ended, and all that was told of it was heard. */
  #isOver() {
    return isFinal(this.state.status) && this.state.seq >= this.state.known;
  }

  #end(error) {
    this.#finish(error);
    this.#tell("connection", error ? "refused" : "over");
  }

  #finish(error) {
    this.#over = true;
    const { status, outputs, outputs_omitted, error: why } = this.state;
    if (error) this.#reject(error);
    else this.#resolve({ status, outputs, ...(outputs_omitted ? { outputs_omitted } : {}), error: why });
    const told = error instanceof Closed ? null : error; // who closes it knows
    for (const listener of this.#listeners) listener.end(told);
    this.#texts.end(told);
  }

  async #output(node, scope) {
    const query = new URLSearchParams(scope ? { scope } : {});
    return (await this.#rest.get(`${this.#path}/nodes/${node}?${query}`)).output;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** @returns {{base: string, id: string, socket: URL}} the site, the run and its socket */
function place(url, baseUrl, executionId) {
  if (url) {
    const site = new URL(url);
    const found = /ws\/executions\/([^/]+)\/?$/.exec(site.pathname);
    if (!found) throw new TypeError("The url is not that of a run's socket.");
    site.protocol = site.protocol.replace("ws", "http");
    site.pathname = site.pathname.slice(0, found.index);
    site.search = "";
    return { base: site.href, id: found[1], socket: new URL(url) };
  }
  if (!baseUrl || !executionId) throw new TypeError("baseUrl and executionId, or the url of the socket, are needed.");
  const base = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
  const socket = new URL(`ws/executions/${encodeURIComponent(executionId)}/`, base);
  socket.protocol = socket.protocol.replace("http", "ws");
  return { base, id: encodeURIComponent(executionId), socket };
}

function withAfter(address, seq) {
  const socket = new URL(address);
  socket.searchParams.set("after", String(seq));
  return socket;
}
