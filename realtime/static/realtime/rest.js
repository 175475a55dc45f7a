// The few calls of the REST API that belong to following a run.

import { wish } from "./api.js";
import { pauseBefore } from "./connection.js";
import { ApiError } from "./errors.js";

const TRIES = 4;

/**
 * @typedef {object} RestOptions
 * @property {string} baseUrl of the site
 * @property {string} [apiKey] for programs; a browser must not see one
 * @property {Record<string, string>} [headers] of every call: `X-CSRFToken`, say, of somebody who is logged in
 * @property {typeof globalThis.fetch} [fetch]
 */

export class Rest {
  #base; #headers; #ticket; #fetch;

  /** @param {RestOptions} options @param {() => ?string} ticket the newest one, for who has neither key nor headers */
  constructor({ baseUrl, apiKey, headers, fetch = globalThis.fetch }, ticket) {
    this.#base = new URL("api/v1/", baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`);
    this.#headers = apiKey ? { ...headers, Authorization: `Bearer ${apiKey}` } : headers;
    this.#ticket = ticket;
    this.#fetch = fetch;
  }

  /** @param {string} path @returns {Promise<*>} */
  get(path) {
    return this.#call("GET", path, { headers: this.#who() });
  }

  /** Once, however often it has to be sent. @param {string} path @param {object} body @returns {Promise<*>} */
  post(path, body) {
    const headers = { ...this.#who(), "Content-Type": "application/json", "Idempotency-Key": wish() };
    return this.#call("POST", path, { headers, body: JSON.stringify(body) });
  }

  #who() {
    const ticket = this.#ticket();
    return this.#headers ?? (ticket ? { Authorization: `Ticket ${ticket}` } : {});
  }

  async #call(method, path, options) {
    const send = this.#fetch; // a browser's own must be called as a function
    for (let tries = 1; ; tries += 1) {
      let answer = null;
      try {
        answer = await send(new URL(path, this.#base), { method, ...options });
      } catch (error) {
        if (tries === TRIES) throw error;
      }
      if (answer?.ok) return (await answer.json()).data;
      if (answer && (tries === TRIES || ![429, 502, 503, 504].includes(answer.status))) throw await refused(answer);
      const asked = Number(answer?.headers.get("Retry-After") ?? 0) * 1000;
      await new Promise((resolve) => { setTimeout(resolve, Math.max(asked, pauseBefore(tries, Math.random()))); });
    }
  }
}

async function refused(answer) {
  const body = await answer.json().catch(() => ({})); // a proxy's page
  return new ApiError({ status: answer.status, ...body?.error });
}
