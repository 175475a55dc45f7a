// What visits of nodes say, for whoever follows one: every piece once and in its place, whatever the connection does.
// Pieces may be lost on their way. What fills a hole is the snapshot that a new connection begins with, or the output
// of the node when it is through; until then nothing after the hole is given.

import { count, place } from "./points.js";
import { Queue } from "./queue.js";
import { isFinal, visit } from "./state.js";
import { prose } from "./wording.js";

/**
 * @typedef {object} Piece
 * @property {number} offset code points said before it; 0 begins, also anew: of another attempt, what was said is void
 * @property {string} text
 */

/** What one visit has said so far. */
class Said {
  text = "";
  length = 0; // code points
  sure = false; // nothing of what it has said so far is known to be missing
  /** @type {Set<Queue<Piece>>} */ readers = new Set();

  /** @param {number} offset @param {string} text which may be known already */
  offer(offset, text) {
    if (offset > this.length) {
      this.sure = false;
      return;
    }
    if (offset === 0) this.sure = true;
    const at = offset === this.length ? this.text.length : place(this.text, offset);
    const known = this.text.slice(at);
    if (known.startsWith(text)) return;
    if (text.startsWith(known)) {
      this.#add(text.slice(known.length));
    } else {
      const whole = this.text.slice(0, at) + text;
      this.forget();
      this.#add(whole);
    }
  }

  forget() {
    [this.text, this.length] = ["", 0];
  }

  /** @param {?string} whole all that it said, where its output has it; that may be other words than it thought aloud */
  complete(whole) {
    if (whole !== null && (whole.startsWith(this.text) || !this.sure)) this.offer(0, whole);
    this.end();
  }

  /** @param {?Error} error */
  end(error = null) {
    for (const reader of this.readers) reader.end(error);
    this.readers.clear();
  }

  #add(text) {
    for (const reader of this.readers) reader.push({ offset: this.length, text });
    this.text += text;
    this.length += count(text);
  }
}

export class Texts {
  /** @type {Map<string, Said>} by stream; of visits that are not over */ #visits = new Map();
  /** @type {(node_id: string, scope: string) => Promise<*>} */ #fetchOutput;
  #over = false;

  /** @param {(node_id: string, scope: string) => Promise<*>} fetchOutput of a node whose output no frame has */
  constructor(fetchOutput) {
    this.#fetchOutput = fetchOutput;
  }

  /**
   * What a visit says, from its beginning to its end.
   * @param {string} node_id
   * @param {string} scope
   * @param {import("./state.js").RunState} state
   * @returns {Queue<Piece>}
   */
  follow(node_id, scope, state) {
    const stream = visit({ node_id, scope });
    const said = this.#of(stream);
    const reader = new Queue(() => said.readers.delete(reader));
    said.readers.add(reader);
    if (said.length) reader.push({ offset: 0, text: said.text });
    const node = state.nodes.get(node_id);
    if (node?.scope === scope && isFinal(node.status)) this.#settle(stream, node.status, node);
    else if (this.#over) this.end();
    return reader;
  }

  /** @param {object} frame that is news @param {import("./state.js").RunState} state before it is folded */
  hear(frame, state) {
    const { type, data, node_id, scope } = frame;
    if (type === "snapshot") return this.#hearSnapshot(frame);
    if (type === "node:token") {
      if (!this.#isThrough(frame.stream, state)) this.#of(frame.stream).offer(frame.offset, frame.text);
    } else if (type === "node:retrying" || (type === "node:started" && data.attempt > 1)) {
      // What a snapshot has is at least of this attempt.
      if (frame.seq > state.known) this.#visits.get(visit({ node_id, scope }))?.forget();
    } else if (type.startsWith("node:") && isFinal(type.slice("node:".length))) {
      this.#settle(visit({ node_id, scope }), type.slice("node:".length), data);
    }
  }

  /** From here on something may be missed. */
  lose() {
    for (const said of this.#visits.values()) said.sure = false;
  }

  /** The run is over, or followed no more. @param {?Error} error */
  end(error = null) {
    this.#over = true;
    for (const said of this.#visits.values()) said.end(error);
    this.#visits.clear();
  }

  #hearSnapshot({ streams, nodes }) {
    for (const [stream, { text }] of Object.entries(streams)) this.#of(stream).offer(0, text);
    for (const node of nodes) {
      // No event of this run tells what a node returned that ran in the one before.
      if (node.kept && isFinal(node.status)) this.#settle(visit(node), node.status, { output_omitted: true });
    }
  }

  #isThrough(stream, state) {
    const node = state.nodes.get(stream.slice(0, stream.indexOf("/")));
    return this.#over || (node !== undefined && visit(node) === stream && isFinal(node.status));
  }

  /** @param {string} stream @returns {Said} */
  #of(stream) {
    const said = this.#visits.get(stream) ?? new Said();
    this.#visits.set(stream, said);
    return said;
  }

  /** @param {string} stream @param {string} status @param {{output?: *, output_omitted?: number | boolean}} result */
  #settle(stream, status, { output, output_omitted }) {
    const said = this.#visits.get(stream);
    if (!said) return;
    this.#visits.delete(stream);
    if (!said.readers.size || status !== "completed") said.end();
    else if (!output_omitted) said.complete(prose(output));
    else if (said.sure) said.end();
    else this.#fetchRest(said, stream);
  }

  async #fetchRest(said, stream) {
    const cut = stream.indexOf("/");
    try {
      said.complete(prose(await this.#fetchOutput(stream.slice(0, cut), stream.slice(cut + 1))));
    } catch (error) {
      said.end(error);
    }
  }
}
