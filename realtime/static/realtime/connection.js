// A socket that comes back by itself until it is refused, with a ticket that it keeps valid.

import { ApiError, BadTicket, refusal } from "./errors.js";

const [SHORTEST, LONGEST] = [250, 15_000]; // milliseconds of a pause before the next try
const SILENCE = 45_000; // milliseconds without a frame: two pings are missing
const FORGOTTEN = 1_000; // milliseconds after an error without a close
const LIFETIME = 900_000; // milliseconds of a ticket of which nothing else is known
const RENEW_BEFORE = 180_000; // milliseconds before the ticket ends
const RENEW_APART = 60_000; // milliseconds at least, however wrong the clock is here
const OURS = new Set([1011, 1013]); // the server failed, or is full: to come back at once would not help it
const [OPEN, CLOSING] = [1, 2]; // WebSocket.readyState

/**
 * @typedef {{token: string, expires_at?: string}} Ticket
 *
 * @typedef {object} ConnectionOptions
 * @property {?string} token
 * @property {string} [expiresAt] of it, ISO 8601
 * @property {() => Promise<Ticket>} [getTicket] asked when there is no ticket, or it is over: after a night, say
 * @property {typeof globalThis.WebSocket} [WebSocket] in Node before 22
 * @property {() => number} [random] in [0, 1)
 *
 * @typedef {object} Ears
 * @property {() => URL} address of the next connection
 * @property {(frame: object) => void} hear
 * @property {(state: "connecting" | "open" | "retrying") => void} tell
 * @property {() => void} lose what was on its way is gone
 * @property {(error: ?Error) => void} end it will not come back: all was heard, or it was refused
 * @property {() => boolean} isOver
 */

/** Milliseconds before try number *tries* (0 is the first after a loss): half of it certain, half of it by chance. */
export function pauseBefore(tries, random) {
  return Math.min(LONGEST, SHORTEST * 2 ** tries) * (0.5 + random / 2);
}

export class Connection {
  #ears; #getTicket; #WebSocket; #random;
  /** @type {?string} */ #token = null;
  #expires = 0; // epoch milliseconds
  /** @type {?WebSocket} */ #socket = null;
  #wanted = false; #tries = 0; #stands = false; #renewed = -Infinity; #fresh = false;
  #timers = new Map();

  /** @param {ConnectionOptions} options @param {Ears} ears */
  constructor({ token, expiresAt, getTicket, WebSocket = globalThis.WebSocket, random = Math.random }, ears) {
    if (!WebSocket) throw new TypeError("There is no WebSocket here: hand one in (Node has one of its own from 22 on).");
    if (!token && !getTicket) throw new TypeError("A token, or getTicket, is needed.");
    this.#ears = ears;
    this.#getTicket = getTicket;
    this.#WebSocket = WebSocket;
    this.#random = random;
    this.#take({ token, expires_at: expiresAt });
  }

  get token() {
    return this.#token;
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    globalThis.addEventListener?.("online", this.#now);
    this.#ears.tell("connecting");
    this.#connect();
  }

  close() {
    this.#wanted = false;
    globalThis.removeEventListener?.("online", this.#now);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#leave();
  }

  /** Something is missing that this connection will not bring: begin another one. */
  restart() {
    this.#lost(1006);
  }

  async #connect() {
    try {
      if (!this.#token && this.#getTicket) {
        const ticket = await this.#getTicket();
        this.#fresh = true;
        this.#take(ticket);
      }
    } catch (error) {
      if (this.#wanted) this.#withoutTicket(error);
      return;
    }
    if (!this.#wanted) return;
    const socket = new this.#WebSocket(this.#ears.address(), ["flowmaestro", String(this.#token)]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => this.#lost(code);
    // A close follows at once, with a code; but Node 20 forgets it where the connection was never made.
    socket.onerror = () => this.#after("silence", FORGOTTEN, () => this.#lost(1006));
    this.#after("silence", SILENCE, () => this.#lost(1006));
  }

  #hear(data) {
    this.#after("silence", SILENCE, () => this.#lost(1006));
    const frame = parsed(data);
    if (!frame) return this.#lost(1006);
    if (frame.type === "ping") return this.#say({ type: "pong" });
    if (frame.type === "token") {
      this.#take(frame);
      return this.#renewInTime();
    }
    if (frame.type === "snapshot" || frame.type === "runs") { // the first of each connection
      this.#stands = true;
      this.#fresh = false;
      this.#renewInTime();
      this.#ears.tell("open");
    }
    this.#ears.hear(frame);
    if (this.#wanted && this.#ears.isOver()) this.#end(null);
  }

  /** @param {number} code of the close; 1006: none came */
  #lost(code) {
    if (!this.#wanted) return;
    this.#leave();
    this.#ears.lose();
    if (code === 1000 && this.#ears.isOver()) return this.#end(null);
    const refused = refusal(code);
    if (refused instanceof BadTicket && this.#getTicket && !this.#fresh) this.#token = null;
    else if (refused) return this.#end(refused);
    this.#again(OURS.has(code));
  }

  #withoutTicket(error) {
    // Who is told no by the API is told no again; anything else is a network that may come back.
    if (error instanceof ApiError && error.status < 500 && error.status !== 429) this.#end(error);
    else this.#again(true);
  }

  #again(slowly) {
    if (this.#stands && !slowly) this.#tries = 0;
    this.#stands = false;
    const pause = pauseBefore(this.#tries, this.#random());
    this.#tries += 1;
    this.#ears.tell("retrying");
    this.#after("again", pause, () => this.#connect());
  }

  /** The network is back: what is left of a pause is not waited for. */
  #now = () => {
    if (this.#wanted && !this.#socket && this.#timers.has("again")) this.#after("again", 0, () => this.#connect());
  };

  #end(error) {
    this.close();
    this.#ears.end(error);
  }

  /** A socket whose network is gone may take minutes to close: nothing of it is heard any more. */
  #leave() {
    for (const name of ["silence", "renew"]) clearTimeout(this.#timers.get(name));
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onerror = null;
    if (socket.readyState < CLOSING) socket.close();
  }

  /** @param {{token: ?string, expires_at?: string}} ticket */
  #take({ token, expires_at }) {
    this.#token = token;
    this.#expires = expires_at ? Date.parse(expires_at) : Date.now() + LIFETIME;
  }

  #renewInTime() {
    const left = Math.min(this.#expires - Date.now(), LIFETIME) - RENEW_BEFORE;
    const wait = Math.max(0, left, this.#renewed + RENEW_APART - Date.now());
    this.#after("renew", wait, () => {
      this.#renewed = Date.now();
      this.#say({ type: "renew", token: this.#token });
    });
  }

  #say(message) {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #after(name, milliseconds, act) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      act();
    }, milliseconds));
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // something between here and the server spoke up
  }
}
