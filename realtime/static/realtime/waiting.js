// What a node waits for, in what unfolds below it: the question, since when, until when, how many decide.

import { duration } from "./wording.js";

const MOST = 10; // of one node: a parallel may ask in each branch
const FOR = { human: "somebody's answer", timer: "a moment", token: "whoever holds its token", event: "an event" };

/**
 * Writes what a node waits for into *element*. What is there already stays as it is, but for its times.
 * @param {import("./state.js").Wait[]} waits
 * @param {number} now epoch milliseconds
 * @param {(wait: import("./state.js").Wait) => HTMLElement[]} ask what is written below a wait: how it is answered
 */
export function writeWaits(element, waits, now, ask) {
  const shown = waits.slice(0, MOST);
  const old = new Map([...element.querySelectorAll(":scope > [data-wait]")].map((part) => [part.dataset.wait, part]));
  const parts = shown.map((wait) => old.get(wait.id) ?? written(wait, ask));
  if (parts.length !== element.children.length || parts.some((part, at) => part !== element.children[at])) {
    element.replaceChildren(...parts);
    if (waits.length > MOST) element.append(text("p", "more", `And ${waits.length - MOST} more.`));
  }
  tick(element, now);
}

/** Moments that were written below *element* say how far off they are now. */
export function tick(element, now) {
  for (const time of element.querySelectorAll("time[data-at]")) time.textContent = away(Number(time.dataset.at) - now);
}

/** @param {number} milliseconds until then @returns {string} `in 2m 05s`, `48 s ago` */
export function away(milliseconds, say = duration) {
  return milliseconds > 0 ? `in ${say(milliseconds)}` : `${say(-milliseconds)} ago`;
}

function written(wait, ask) {
  const part = document.createElement("section");
  part.dataset.wait = wait.id;
  if (wait.prompt) part.append(text("p", "prompt", wait.prompt));
  if (wait.form.description) part.append(text("p", "hint", wait.form.description));
  const facts = document.createElement("dl");
  const told = [
    ["Waits for", wait.event ? `the event ${wait.event.type}` : FOR[wait.kind]],
    ["In", wait.scope || null],
    ["Votes", wait.votes && `${wait.votes.needed} of ${wait.votes.voters} have to say yes`],
    ["Since", wait.since],
    ["Wakes", wait.wakes_at],
    ["Expires", wait.expires_at],
  ];
  for (const [name, value] of told) {
    if (!value) continue;
    const [pair, term, said] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
    term.textContent = name;
    if (value === wait.since || value === wait.wakes_at || value === wait.expires_at) said.append(...moment(value));
    else said.textContent = value;
    pair.append(term, said);
    facts.append(pair);
  }
  part.append(...ask(wait), facts);
  return part;
}

/** A moment by the clock, and in brackets how far off it is. */
function moment(iso) {
  const at = Date.parse(iso);
  const time = document.createElement("time");
  time.dateTime = iso;
  time.dataset.at = String(at);
  return [`${new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" })} (`, time, ")"];
}

function text(tag, name, words) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = words;
  return element;
}
