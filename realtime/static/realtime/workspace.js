// Follows the runs of a workspace: those that are there, and each as it begins, changes or is deleted.
//
//   const feed = watchRuns({ baseUrl, token });
//   feed.addEventListener("change", () => draw([...feed.runs.values()]));

import { Connection } from "./connection.js";
import { Closed } from "./errors.js";

/**
 * @typedef {object} ListedRun what `realtime/run_list.py` shows of a run
 * @property {string} id
 * @property {number} seq number of its newest event
 * @property {string} workflow_id
 * @property {string} workflow_name
 * @property {string} status
 * @property {{completed: number, total: number}} progress of the nodes of its top level
 * @property {string} created_at
 *
 * @typedef {object} WorkspaceOptions
 * @property {string} baseUrl of the site
 * @property {string} [workspaceId] that of the ticket where it is left out
 * @property {string} [token] a ticket for the workspace
 * @property {string} [expiresAt] of the ticket, ISO 8601
 * @property {() => Promise<{token: string, expires_at?: string}>} [getTicket] asked when there is none, or it is over
 * @property {typeof globalThis.WebSocket} [WebSocket] in Node before 22
 * @property {() => number} [random] in [0, 1)
 */

/** @param {WorkspaceOptions} options @returns {WorkspaceClient} that is connecting */
export function watchRuns(options) {
  const feed = new WorkspaceClient(options);
  feed.open();
  return feed;
}

/**
 * A connection that comes back by itself; what it is told first is all there is to know.
 * Events: "change" (detail: the frame), "connection" (detail: "connecting", "open", "retrying", "refused").
 */
export class WorkspaceClient extends EventTarget {
  #connection;
  /** @type {(error: Error) => void} */ #reject = () => {};

  /** @param {WorkspaceOptions} options */
  constructor({ baseUrl, workspaceId = "current", ...options }) {
    super();
    /** Runs by id, the newest first. @type {Map<string, ListedRun>} */
    this.runs = new Map();
    /** Never resolves: rejects when the runs are followed no more, with Refused or Closed. @type {Promise<never>} */
    this.ended = new Promise((_, reject) => { this.#reject = reject; });
    this.ended.catch(() => {}); // who does not ask is not told, and that is no unhandled rejection
    const address = new URL(`ws/workspaces/${encodeURIComponent(workspaceId)}/`, baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`);
    address.protocol = address.protocol.replace("http", "ws");
    this.#connection = new Connection({ token: null, ...options }, {
      address: () => address,
      hear: (frame) => this.#hear(frame),
      tell: (name) => this.#tell("connection", name),
      lose: () => {},
      end: (error) => this.#end(/** @type {Error} */ (error)),
      isOver: () => false,
    });
  }

  open() {
    this.#connection.open();
  }

  close() {
    this.#connection.close();
    this.#reject(new Closed());
  }

  #hear(frame) {
    if (frame.type === "runs") this.runs = new Map(frame.runs.map((run) => [run.id, run]));
    else if (frame.type === "run") this.#put(frame.run);
    else if (frame.type === "run:gone") this.runs.delete(frame.execution_id);
    else return; // of a server that is younger
    this.#tell("change", frame);
  }

  /** One that changed keeps its place, one that began is put before those that are older. */
  #put(run) {
    const known = this.runs.get(run.id);
    if (known && known.seq > run.seq) return;
    if (known) {
      this.runs.set(run.id, run);
    } else {
      const runs = [...this.runs.values()];
      const found = runs.findIndex(({ created_at }) => Date.parse(created_at) < Date.parse(run.created_at));
      runs.splice(found < 0 ? runs.length : found, 0, run);
      this.runs = new Map(runs.map((each) => [each.id, each]));
    }
  }

  #end(error) {
    this.#reject(error);
    this.#tell("connection", "refused");
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
