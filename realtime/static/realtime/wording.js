// Durations and values as people read them. Durations as realtime/core/wording.py says them.

/** @param {number} milliseconds @returns {string} `840 ms`, `3.2 s`, `48 s`, `2m 05s`, `3h 07m`, `2d 4h` */
export function duration(milliseconds) {
  const ms = Math.max(0, Math.round(milliseconds));
  const [seconds, minutes, hours, days] = [1000, 60_000, 3_600_000, 86_400_000].map((size) => Math.floor(ms / size));
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days}d ${hours % 24}h`;
  if (hours) return `${hours}h ${two(minutes % 60)}m`;
  if (minutes) return `${minutes}m ${two(seconds % 60)}s`;
  if (seconds >= 10) return `${seconds} s`;
  return seconds ? `${(Math.floor(ms / 100) / 10).toFixed(1)} s` : `${ms} ms`;
}

/** @param {number} milliseconds @returns {string} `48 s`, `2m`, `3h`: where there is little room */
export function roughly(milliseconds) {
  return duration(milliseconds).replace(/^(\d+[mhd]) .*/, "$1");
}

/**
 * How a node is shown to stand: as its newest visit does, unless people should rather know that it waits.
 * @param {number} waits visits of it that wait, perhaps older ones
 * @param {boolean} isPaused the run is: nothing of it runs, and what is under way waits for what it holds
 */
export function standing(node, waits = 0, isPaused = false) {
  if (node.status === "running") return isPaused ? "waiting" : "running";
  return waits || (node.status === "ready" && node.due_at) ? "waiting" : node.status;
}

/**
 * What models cost. As realtime/core/wording.py says it.
 * @param {number} dollars @param {number} unpriced tokens of models whose price is not known
 * @returns {string} `$0.0042`, `$1.20`, `$0.3100 and more`, `price unknown`
 */
export function money(dollars, unpriced = 0) {
  const digits = dollars >= 1 || dollars === 0 ? 2 : 4;
  const known = dollars > 0 && dollars < 0.0001 ? "< $0.0001" : `$${dollars.toFixed(digits)}`;
  if (!unpriced) return known;
  return dollars ? `${known} and more` : "price unknown";
}

const NAMED = 3; // names of a list, the last of which counts the rest

/**
 * Why a run is paused, as it goes on behind the word "Paused". As realtime/core/wording.py says it.
 * @param {?string} reason null: it is not
 * @param {string[]} waiting names of the nodes that wait
 */
export function because(reason, waiting) {
  if (!reason) return "";
  if (reason === "requested") return "on request: nothing new starts";
  if (!waiting.length) return "waits for a run that it started";
  const rest = waiting.length - NAMED + 1;
  const shown = waiting.length <= NAMED ? [...waiting] : [...waiting.slice(0, NAMED - 1), `${rest} more`];
  const last = shown.pop();
  return shown.length ? `waits for ${shown.join(", ")} and ${last}` : `waits for ${last}`;
}

/** @param {{done: number, total: ?number}} progress @returns {string} `3/10`, or `3×` where a condition decides */
export function progress({ done, total }) {
  return total === null ? `${done}×` : `${done}/${total}`;
}

/** @param {{completed: number, failed: number, skipped: number}} counts @returns {?string} `10 completed, 2 failed` */
export function visits(counts) {
  const told = Object.entries(counts).filter(([, times]) => times);
  return told.map(([end, times]) => `${times} ${end}`).join(", ") || null;
}

/** What came of a node's visits, in figures: pairs of a kind and a text. As realtime/core/wording.py says it. */
export function tally(node, waits = 0) {
  const told = node.progress ? [["steps", progress(node.progress)]] : [];
  if (node.visits && waits) told.push(["waits", `${waits}‖`]);
  if (node.visits?.completed) told.push(["good", `${node.visits.completed}✓`]);
  if (node.visits?.failed) told.push(["bad", `${node.visits.failed}✕`]);
  return told;
}

/** The text that a node's output is for people, when it is one: a text, or an object with a `text`. */
export function prose(output) {
  if (typeof output === "string") return output;
  return typeof output?.text === "string" && output.text ? output.text : null;
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Writes JSON text into *element*, each kind of value in its class. Nothing of it is ever read as markup. */
export function writeJson(element, text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, string, colon, word] = found;
    const kind = string ? (colon ? "j-key" : "j-text") : word ? "j-word" : "j-number";
    const span = document.createElement("span");
    span.className = kind;
    if (string) span.append(...withBreaks(string));
    else span.textContent = whole;
    parts.push(text.slice(end, found.index), span, colon ?? "");
    end = found.index + whole.length;
  }
  element.replaceChildren(...parts, text.slice(end));
}

/** Lines of a text are shown as lines; what is copied still has the two characters that JSON writes for a break. */
function withBreaks(string) {
  return string.split(/(?<=[^\\](?:\\\\)*\\n)/).flatMap((line, at, lines) => {
    if (at === lines.length - 1) return [line];
    const mark = document.createElement("span");
    mark.className = "j-break";
    mark.textContent = "\\n";
    return [line.slice(0, -2), mark, document.createElement("br")];
  });
}
