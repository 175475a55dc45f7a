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

/** How a node is shown to stand: one that is ready, but not before a moment, waits for it. */
export function standing(node) {
  return node.status === "ready" && node.due_at ? "waiting" : node.status;
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
export function tally(node) {
  const told = node.progress ? [["steps", progress(node.progress)]] : [];
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
