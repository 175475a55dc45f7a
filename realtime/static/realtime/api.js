// What the page asks of the REST API: as the person who is logged in, or with the ticket that opened the page.

import { ApiError } from "./errors.js";

/**
 * @typedef {object} Access
 * @property {?string} token of a ticket; null: the session decides
 * @property {?string} csrf of the session
 * @property {string} workspace_id
 * @property {{read: boolean, cancel: boolean, resume: boolean, start: boolean, ticket: boolean}} can
 */

export class Api {
  #access; #ticket;

  /** @param {Access} access @param {() => ?string} ticket the newest one: a socket renews it */
  constructor(access, ticket = () => access.token) {
    this.#access = access;
    this.#ticket = ticket;
  }

  /** @param {string} path below `/api/v1` @param {Record<string, *>} [query] text and numbers */
  get(path, query = {}) {
    const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
    return this.#send(asked ? `${path}?${asked}` : path, { method: "GET" });
  }

  /** @param {string} key the same for the same wish, however often it is sent */
  post(path, body, key = wish()) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    return this.#send(path, { method: "POST", body: JSON.stringify(body), headers });
  }

  /** @param {string} path @param {{method: string, body?: string, headers?: object}} request */
  async #send(path, { headers, ...request }) {
    const { csrf, workspace_id, token } = this.#access;
    const who = token
      ? { Authorization: `Ticket ${this.#ticket() ?? token}` }
      : { "X-CSRFToken": csrf ?? "", "X-Workspace-Id": workspace_id };
    let response;
    try {
      response = await fetch(`/api/v1${path}`, { ...request, credentials: "same-origin", headers: { ...headers, ...who } });
    } catch {
      throw new ApiError({ status: 0, code: "unreachable", message: "The server cannot be reached. Try again." });
    }
    const told = await response.json().catch(() => null);
    if (response.ok && told) return told.data;
    const message = `The server answered with ${response.status}. Try again.`;
    throw new ApiError({ status: response.status, code: "unknown", message, ...told?.error });
  }
}

/** The name of something that somebody wants once. */
export function wish() {
  // `randomUUID` is there on pages of secure origins only.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
