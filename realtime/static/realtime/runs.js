// The list of runs: what the server drew, fetched again when something has changed.

import { picking } from "./picking.js";
import { duration } from "./wording.js";
import { WorkspaceClient } from "./workspace.js";

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("runs").textContent);
const skew = Date.parse(data.now) - Date.now(); // the server's clock decides how long something takes
const PACE = 700; // milliseconds between two looks, however much happens
const WITHOUT_NEWS = 5000; // milliseconds between two looks while nobody says when to

// ---- times
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

function writeTimes(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.textContent = (moment.toDateString() === today ? clock : day).format(moment);
    time.title = whole.format(moment);
  }
}

function tick() {
  for (const took of document.querySelectorAll("[data-began]")) {
    const since = Date.now() + skew - Date.parse(took.dataset.began) - Number(took.dataset.pausedMs);
    took.textContent = duration(since);
  }
}

// ---- rows
const list = byId("list");
const rowsOf = (root) => new Map([...root.querySelectorAll("[data-run]")].map((row) => [row.dataset.run, row]));
let waiting = null; // rows with newer runs among them, until somebody wants to see them

async function fetchRows() {
  const address = new URL(location.href);
  address.searchParams.set("part", "rows");
  const answer = await fetch(address, { headers: { "X-Workspace-Id": data.workspace_id } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  writeTimes(parsed.body);
  return parsed.body;
}

async function refresh() {
  const next = await fetchRows();
  const [mine, theirs] = [rowsOf(list), rowsOf(next)];
  const fresh = [...theirs.keys()].filter((run) => !mine.has(run));
  // Rows do not move under the hand of somebody who is choosing some.
  if (fresh.length && mine.size && (pick.isPicking() || list.matches(":hover") || list.contains(document.activeElement))) {
    for (const [run, row] of mine) if (theirs.has(run)) change(row, theirs.get(run));
    waiting = next;
    byId("fresh").textContent = `Show ${fresh.length === 1 ? "a newer run" : `${fresh.length} newer runs`}`;
    byId("fresh").hidden = false;
  } else {
    show(next, new Set(mine.size ? fresh : []));
  }
  pick.draw();
  tick();
}

/** The rows of *next*; what did not change stays the element that it is, so that focus and hover stay with it. */
function show(next, fresh) {
  const mine = rowsOf(list);
  for (const [run, row] of rowsOf(next)) {
    const known = mine.get(run);
    if (known) {
      change(known, row);
      row.replaceWith(known);
    } else {
      row.classList.toggle("comes", fresh.has(run));
    }
  }
  const held = document.activeElement;
  list.replaceChildren(...next.childNodes);
  if (held?.isConnected && list.contains(held)) held.focus({ preventScroll: true });
  waiting = null;
  byId("fresh").hidden = true;
}

function change(row, newer) {
  for (const name of ["data-status", "data-over", "data-broke-off"]) {
    if (newer.hasAttribute(name)) row.setAttribute(name, newer.getAttribute(name));
    else row.removeAttribute(name);
  }
  for (const [at, cell] of [...row.cells].entries()) {
    if (at > 0 && cell.innerHTML !== newer.cells[at].innerHTML) cell.replaceChildren(...newer.cells[at].cloneNode(true).childNodes);
  }
}

const pick = picking(data, look);
byId("fresh").addEventListener("click", () => {
  if (waiting) show(waiting, new Set());
  pick.draw();
  list.focus();
});

// ---- when to look again
let timer = null;
let isLooking = false;
let isWanted = false;
let period = WITHOUT_NEWS;

async function look() {
  isWanted = true;
  if (isLooking) return;
  isLooking = true;
  while (isWanted && !document.hidden) {
    isWanted = false;
    await refresh().catch(() => { period = WITHOUT_NEWS; }); // the next look tries again
    await new Promise((resolve) => { setTimeout(resolve, PACE); });
  }
  isLooking = false;
  clearTimeout(timer);
  if (period) timer = setTimeout(look, period);
}

function showConnection(state) {
  const words = { open: "Live", connecting: "Connecting …", retrying: "Connecting …", refused: "" };
  byId("connection").dataset.state = state === "refused" ? "past" : state;
  byId("connection").querySelector("span").textContent = words[state];
  period = state === "open" ? 0 : WITHOUT_NEWS;
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) void look(); });
for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
byId("filters").addEventListener("submit", ({ target }) => { // what is not filtered by is no part of the address
  for (const field of target.elements) field.disabled = field.name !== "" && field.value === "";
});
addEventListener("pageshow", () => { // on the way back, browsers fill in what stood there last: the address decides
  for (const field of byId("filters").elements) field.disabled = false;
  for (const form of document.forms) form.reset();
  pick.draw();
});
writeTimes(document);
tick();
setInterval(tick, 1000);
timer = setTimeout(look, period);

const { token, expires_at: expiresAt } = data.socket;
const feed = new WorkspaceClient({ baseUrl: location.origin, workspaceId: data.workspace_id, token, expiresAt });
feed.addEventListener("change", () => void look()); // what has changed, the page asks for: as its filters have it
feed.addEventListener("connection", ({ detail }) => showConnection(detail));
feed.open();
