// Follows one run over its WebSocket. No dependency; the protocol is that of realtime/consumers.py.
//
//   const run = new RunClient({ url, token, after: 0 });
//   run.addEventListener("change", ({ detail: frame }) => draw(run.state, frame));
//   run.open();

import { emptyState, fold, isFinal } from "./state.js";

/** Close codes after which the same client need not come back. */
const FOR_GOOD = new Set([1003, 1009, 4400, 4401, 4403, 4404]);
const PAUSES = [250, 500, 1000, 2000, 5000, 10_000]; // milliseconds, with up to half of it more by chance
const SILENCE = 45_000; // milliseconds without a frame: two pings are missing
const RENEW_BEFORE = 180_000; // milliseconds before the ticket ends

/**
 * A connection that comes back by itself, from the last number it has.
 * Events: "change" (detail: the frame that was folded), "connection" (detail: "connecting", "open", "retrying", "over",
 * "refused": the ticket, or the client, is no good any more).
 */
export class RunClient extends EventTarget {
  #url; #token; #expires; #socket = null; #tries = 0; #timers = new Map(); #wanted = false;

  /** @param {{url: string, token: string, expiresAt?: string, state?: import("./state.js").RunState}} options */
  constructor({ url, token, expiresAt, state = emptyState() }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#expires = expiresAt ? Date.parse(expiresAt) : null;
    this.state = state;
  }

  /** The ticket as it was last renewed. */
  get token() {
    return this.#token;
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
