// What unfolds below a node in the list: what it waits for; what it says while it says it; then what it returned or why
// it failed.

import { writeAttempts, writeInput, writeLog, writePicker } from "./visits.js";
import { writeWaits } from "./waiting.js";
import { duration, progress, prose, visits, writeJson } from "./wording.js";

const SHOWN = 20_000; // characters

/**
 * Writes *node* into *element*, touching only what changed: a text that grows keeps its place and its selection.
 * @param {object} standing
 * @param {import("./state.js").Wait[]} standing.waits what its visits wait for
 * @param {?string} standing.rests what of the run itself it waits for
 * @param {number} standing.now
 * @param {Function} standing.ask as in waiting.js
 * @param {?{node: object, scope: string, nodeOf: Function, pick: Function}} standing.picker of a node in a body
 * @param {{log: ?object, error: ?string}} standing.told what the API says of the visit
 * @param {?{why: string, act: () => void}} standing.again beginning again here; *why* it cannot be
 */
export function writeDetail(element, node, stream, { waits, rests, now, ask, picker, told, again }) {
  part(element, "picker", "div", picker, (place) => writePicker(place, picker));
  const { log } = told;
  // A stream of another visit is of one that no event tells of yet: it is newer.
  const isGoing = Boolean(stream) && (node?.status === "running" || stream.scope !== node?.scope);
  const output = node && !isErrorAgain(node) ? node.output ?? undefined : undefined;
  const text = stream && (isGoing || node.status !== "completed") ? stream.text : prose(output);
  part(element, "waits", "div", waits.length, (place) => writeWaits(place, waits, now, ask));
  part(element, "rests", "p", rests, (place) => { place.textContent = `Waits for ${rests}.`; });
  part(element, "absent", "p", told.error, (place) => { place.textContent = told.error; });
  said(element, text, { going: isGoing });
  part(element, "wrong", "p", node?.error?.message, (place) => {
    place.textContent = node.error.message;
    if (node.error.code) place.append(code(node.error.code));
  });
  part(element, "error", "pre", Object.keys(node?.error?.details ?? {}).length, (place) => writeJson(place, pretty(node.error.details)));
  const rest = besides(output);
  part(element, "output", "pre", rest !== null, (place) => {
    writeJson(place, pretty(rest));
  });
  part(element, "more", "p", node?.output_omitted, (place) => {
    place.textContent = `Its output has ${node.output_omitted.toLocaleString()} characters: fetch it from the API.`;
  });
  part(element, "facts", "dl", node, (place) => facts(place, node));
  part(element, "attempts", "section", log?.attempts?.length, (place) => writeAttempts(place, log.attempts));
  part(element, "log", "section", log?.logs?.length, (place) => writeLog(place, log.logs));
  part(element, "input", "details", log?.input && Object.keys(log.input).length, (place) => writeInput(place, log.input));
  part(element, "again", "button", again, (place) => {
    place.type = "button";
    place.textContent = "Begin again from here";
    place.title = again.why;
    place.setAttribute("aria-disabled", String(Boolean(again.why)));
    place.onclick = again.act;
  });
}

/** What a failed node hands on is its error, which stands above already. */
function isErrorAgain({ status, output, error }) {
  return status === "failed" && error && output?.error?.message === error.message;
}

function code(words) {
  const element = document.createElement("code");
  element.textContent = words;
  return element;
}

/** What of an output the text above it does not say. */
function besides(output) {
  if (output === undefined || typeof output === "string") return null;
  if (prose(output) === null) return output;
  const { text, ...rest } = output;
  return Object.keys(rest).length ? rest : null;
}

function said(element, text, { going }) {
  part(element, "said", "p", text || going, (place) => {
    const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 24;
    const old = place.firstChild;
    if (old && text.startsWith(old.data)) old.appendData(text.slice(old.data.length));
    else place.textContent = text ?? "";
    place.classList.toggle("going", going);
    if (atEnd) place.scrollTop = place.scrollHeight;
  });
}

/** The child of that class, made where it is wanted and taken away where not. Children keep the order above. */
const ORDER = [
  "picker", "waits", "rests", "absent", "said", "wrong", "error", "output", "more", "facts", "attempts", "log", "input", "again",
];
const SCROLLING = new Set(["said", "error", "output"]);
function part(element, name, tag, wanted, write) {
  let place = element.querySelector(`:scope > .${name}`);
  if (!wanted) {
    place?.remove();
    return;
  }
  if (!place) {
    place = document.createElement(tag);
    place.className = name;
    if (SCROLLING.has(name)) place.tabIndex = 0; // so that keys scroll it
    const later = ORDER.slice(ORDER.indexOf(name) + 1);
    const next = [...element.children].find((child) => later.some((other) => child.classList.contains(other)));
    element.insertBefore(place, next ?? null);
  }
  write(place);
}

function facts(place, node) {
  const told = [
    ["Failed", node.handled ? "and handled" : null],
    ["In", node.scope || null],
    ["Attempt", node.attempt > 0 ? node.attempt : null],
    ["Took", node.duration_ms != null ? duration(node.duration_ms) : null],
    ["Next attempt", node.due_at ? new Date(node.due_at).toLocaleTimeString() : null],
    ["Done", node.progress ? progress(node.progress) : null],
    ["Visits", node.visits ? visits(node.visits) : null],
    ["Port", node.port],
    ["Model", node.usage?.model],
    ["Began", node.started_at ? new Date(node.started_at).toLocaleTimeString() : null],
    ["Tokens", node.usage ? `${node.usage.prompt_tokens} in, ${node.usage.completion_tokens} out` : null],
    ["Cost", node.usage?.cost_usd != null ? `$${node.usage.cost_usd.toFixed(6)}` : null],
  ];
  const stamp = JSON.stringify(told);
  if (place.dataset.stamp === stamp) return;
  place.dataset.stamp = stamp;
  place.replaceChildren(...told.filter(([, value]) => value != null).map(([name, value]) => {
    const pair = document.createElement("div");
    const [term, told_] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told_.textContent = value;
    pair.append(term, told_);
    return pair;
  }));
}

function pretty(value) {
  const text = JSON.stringify(value, null, 2);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}\n… ${text.length - SHOWN} more characters`;
}
