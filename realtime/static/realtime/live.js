// The live page: what the server drew, kept up to date while events come.

import { actions, tell } from "./actions.js";
import { Api } from "./api.js";
import { asker } from "./asking.js";
import { canvas } from "./canvas.js";
import { RunClient } from "./client.js";
import { writeDetail } from "./detail.js";
import { edgeLooks, isExpired } from "./edges.js";
import { whyNotFrom } from "./offers.js";
import { hashOf, placeIn } from "./scopes.js";
import { emptyState, fold, isFinal, parted } from "./state.js";
import { timeline } from "./timeline.js";
import { visits } from "./visits.js";
import { away, tick } from "./waiting.js";
import { because, duration, money, roughly, standing, tally, writeJson } from "./wording.js";

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("run").textContent);
const skew = Date.parse(data.now) - Date.now(); // the server's clock decides how long something took
const now = () => Date.now() + skew;
let began = Date.parse(data.started_at);

const state = fold(emptyState(), { ...data, type: "snapshot", streams: {} });
Object.assign(state, { seq: data.seq, ended_at: data.ended_at });

const cards = new Map([...document.querySelectorAll(".card")].map((card) => [card.dataset.node, card]));
const rows = new Map([...document.querySelectorAll("#rows > li")].map((row) => [row.dataset.node, row]));
const segments = new Map([...byId("progress").children].map((segment) => [segment.dataset.node, segment]));
const lines = [...document.querySelectorAll(".line")];
const labels = [...document.querySelectorAll(".label")];
const hasLabel = ([, , type, port]) => type === "error" || port;
const labelled = data.edges.map((edge, at) => (hasLabel(edge) ? at : -1)).filter((at) => at >= 0);
const nodeOf = (id) => state.nodes.get(id);
let waits = new Map(); // of each node that waits, by id: what for
const waitsOf = (id) => waits.get(id) ?? [];
const stands = (node) => standing(node, waitsOf(node.node_id).length, state.pause !== null);
function sortWaits() {
  waits = new Map();
  for (const wait of state.waits.values()) {
    if (waits.has(wait.node_id)) waits.get(wait.node_id).push(wait);
    else waits.set(wait.node_id, [wait]);
  }
}
sortWaits();
// Where something happens, else where it waits, else where it went wrong, else where it begins.
const first = data.nodes.find(({ status }) => !state.pause && status === "running")
  ?? data.nodes.find(({ node_id }) => waits.has(node_id))
  ?? data.nodes.find(({ status, handled }) => status === "failed" && !handled) ?? data.nodes[0];
const view = canvas(byId("scroll"), byId("graph"), cards, first?.node_id);
let client = null; // of a run that is not over
const api = new Api(data.access, () => client?.token);
const may = data.access.can;
const controls = actions(data.execution_id, api, may, () => state);
const ask = asker(data.execution_id, api, may);
const seen = visits(data.execution_id, api, nodeOf, (id) => drawDetail(id));
const calmly = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
const gantt = timeline({
  run: data.execution_id,
  api,
  nodes: data.nodes,
  statusOf: (id) => ({ status: stands(nodeOf(id)), handled: Boolean(nodeOf(id).handled) }),
  isOver: () => isFinal(state.status),
  now,
  onSelect: (id) => select(id),
});
const UNFOLDED = 3; // of what waits when the page is opened

// ---- nodes
// A fast loop begins and ends what is in it many times a second. Whoever looks should see that it runs, not that it blinks.
const CALM = 400; // milliseconds for which what ran is still shown to
const ran = new Map(); // when a node in a body was last seen to run
const fading = new Set();
function shown(node) {
  const [id, status] = [node.node_id, stands(node)];
  if (!node.parent || isFinal(state.status)) return status;
  if (status === "running") ran.set(id, performance.now());
  const isBlink = ["completed", "pending", "ready"].includes(status) && performance.now() - (ran.get(id) ?? -CALM) < CALM;
  if (!isBlink) return status;
  if (!fading.has(id)) {
    fading.add(id);
    setTimeout(() => {
      fading.delete(id);
      touched.add(id);
      plan();
    }, CALM);
  }
  return "running";
}

function mark(element, node) {
  if (!element) return;
  const status = shown(node);
  element.dataset.status = status;
  element.toggleAttribute("data-handled", Boolean(node.handled));
  element.querySelector(".status use")?.setAttribute("href", `#s-${status}`);
}

function took(node) {
  if (node.status === "ready" && node.due_at) {
    return state.pause ? "" : `again ${away(Date.parse(node.due_at) - now())}`;
  }
  const [wait] = waitsOf(node.node_id);
  if (wait?.wakes_at) return `wakes ${away(Date.parse(wait.wakes_at) - now(), roughly)}`;
  if (wait) return `waits ${roughly(now() - Date.parse(wait.since))}`;
  if (isExpired(node)) return "expired";
  if (node.duration_ms != null) return duration(node.duration_ms);
  if (stands(node) !== "running" || !node.started_at) return "";
  const far = node.reached ? `${Math.floor(node.reached.fraction * 100)} % · ` : "";
  return far + duration(now() - Date.parse(node.started_at));
}

function count(element, node) {
  element?.replaceChildren(...tally(node, waitsOf(node.node_id).length).map(([kind, text]) => {
    const part = document.createElementNS(element.namespaceURI, element.matches("text") ? "tspan" : "i");
    part.setAttribute("class", kind);
    part.setAttribute("dx", "4");
    part.textContent = text;
    return part;
  }));
}

function drawNode(id) {
  const node = nodeOf(id);
  if (!node) return;
  const card = cards.get(id);
  const row = rows.get(id);
  for (const element of [card, row, segments.get(id)]) mark(element, node);
  for (const element of [card, row]) count(element?.querySelector(".tally"), node);
  if (card) {
    const [name, kind] = [card.querySelector("title").textContent, card.querySelector(".kind").firstChild.textContent];
    card.setAttribute("aria-label", `${name}, ${kind}: ${stands(node)}`);
  }
  drawTimes(id);
  if (row && isOpen(row)) drawDetail(id);
}

function drawTimes(id) {
  const node = nodeOf(id);
  const text = took(node);
  const card = cards.get(id);
  if (card) card.querySelector(".took").textContent = text;
  const row = rows.get(id);
  if (!row) return;
  row.querySelector(".took").textContent = text;
  row.querySelector(".took").title = node.reached?.message ?? "";
  if (!node.started_at || node.kept) {
    row.querySelector(".began").textContent = node.kept ? "kept" : "";
    row.querySelector(".bar rect").setAttribute("width", "0");
    return;
  }
  const start = Date.parse(node.started_at);
  row.querySelector(".began").textContent = `+${duration(start - began)}`;
  const whole = Math.max(1, (state.ended_at ? Date.parse(state.ended_at) : now()) - began);
  const end = node.ended_at ? Date.parse(node.ended_at) : now();
  const bar = row.querySelector(".bar rect");
  bar.setAttribute("x", `${Math.min(100, (100 * Math.max(0, start - began)) / whole)}%`);
  bar.setAttribute("width", `${Math.min(100, (100 * Math.max(0, end - start)) / whole)}%`);
}

// ---- edges
function drawEdges() {
  const looks = edgeLooks(data.edges, nodeOf);
  looks.forEach((look, at) => {
    lines[at].dataset.look = look;
    const flowing = look === "taken" && shown(nodeOf(data.edges[at][1])) === "running";
    lines[at].toggleAttribute("data-flowing", flowing);
  });
  labelled.forEach((edge, at) => { labels[at].dataset.look = looks[edge]; });
}

// ---- details
const isOpen = (row) => row.firstElementChild.getAttribute("aria-expanded") === "true";

function drawDetail(id) {
  const row = rows.get(id);
  if (!row || !isOpen(row)) return;
  const node = nodeOf(id);
  const isNewest = seen.isNewest(id);
  const atRest = state.pause && node.status === "running";
  const rests = atRest && isNewest ? (state.bodies.has(id) ? "what is in it" : "the run that it started") : null;
  const scope = seen.scopeAt(id);
  const standing = {
    waits: waitsOf(id).filter((wait) => isNewest || wait.scope === scope),
    rests,
    now: now(),
    ask,
    picker: node.parent && scope && may.read ? { node, scope, nodeOf, pick: (wanted) => pick(id, wanted) } : null,
    told: may.read ? seen.of(id) : { log: null, error: null },
    again: isFinal(state.status) ? again(node) : null,
  };
  writeDetail(row.querySelector(".detail"), seen.seen(id), isNewest ? state.streams.get(id) : undefined, standing);
}

function again(node) {
  const why = whyNotFrom(node, state, may);
  return { why, act: () => (why ? tell(why) : controls.rerunFrom(node)) };
}

/** Look at another visit of a node; null: at the newest, whichever that is. */
function pick(id, scope) {
  seen.pick(id, scope);
  history.replaceState(null, "", hashOf(id, scope));
  drawDetail(id);
}

function open(row, wanted = true) {
  row.firstElementChild.setAttribute("aria-expanded", String(wanted));
  row.querySelector(".detail").hidden = !wanted;
  if (wanted) drawDetail(row.dataset.node);
}

function select(id, { scroll = calmly, keep = true } = {}) {
  for (const element of [...cards.values(), ...rows.values()]) {
    element.toggleAttribute("data-selected", element.dataset.node === id);
  }
  const row = rows.get(id);
  if (!row) return;
  // An address that can be sent to somebody, and that the back button leaves.
  const hash = hashOf(id, seen.isNewest(id) ? null : seen.scopeAt(id));
  if (keep && location.hash !== hash) history.pushState(null, "", hash);
  open(row);
  if (scroll) row.scrollIntoView({ block: "nearest", behavior: scroll });
}

// What streams or waits unfolds by itself, and folds again when the next one does, unless somebody had a hand in it.
const unfolded = new Set();
function unfold(row) {
  if (isOpen(row)) return;
  for (const other of unfolded) {
    if (!isFinal(nodeOf(other.dataset.node).status) || waits.has(other.dataset.node)) continue;
    open(other, false);
    unfolded.delete(other);
  }
  unfolded.add(row);
  open(row);
  // Only the list moves: on a phone, where the whole page would, people are left where they are.
  if (byId("rows").scrollHeight > byId("rows").clientHeight) row.scrollIntoView({ block: "nearest", behavior: calmly });
}

for (const row of rows.values()) {
  row.firstElementChild.addEventListener("click", () => {
    const wanted = !isOpen(row);
    unfolded.delete(row);
    open(row, wanted);
    if (wanted) {
      select(row.dataset.node, { scroll: null });
      view.show(row.dataset.node);
    }
  });
}
view.onSelect((id) => select(id));

// ---- the run
function drawRun() {
  const pill = byId("status");
  if (pill.dataset.status !== state.status) {
    pill.querySelector("span").textContent = state.status[0].toUpperCase() + state.status.slice(1);
  }
  pill.dataset.status = document.body.dataset.status = state.status;
  const nodes = [...state.nodes.values()];
  const waiting = nodes.filter((node) => waits.has(node.node_id)).map((node) => node.name);
  byId("because").textContent = because(state.pause?.reason, waiting);
  controls.draw();
  byId("count").textContent = `${nodes.filter((node) => isFinal(node.status)).length} of ${nodes.length}`;
}

const spent = { ...data.usage, counted: data.seq };
function spend({ seq, data: told }) {
  if (!(seq > spent.counted)) return;
  spent.counted = seq;
  if (!told?.usage) return;
  spent.total_tokens += told.usage.total_tokens;
  spent.cost_usd += told.usage.cost_usd ?? 0;
  if (told.usage.cost_usd == null) spent.unpriced_tokens += told.usage.total_tokens;
}

function drawSpent() {
  byId("tokens").textContent = spent.total_tokens.toLocaleString();
  byId("tokens").closest("div").hidden = !spent.total_tokens;
  byId("cost").textContent = money(spent.cost_usd, spent.unpriced_tokens);
  byId("cost").closest("div").hidden = !spent.total_tokens;
}

function drawMetadata() {
  byId("metadata").hidden = !state.metadata.size;
  byId("metadata").querySelector("dl").replaceChildren(...[...state.metadata].map(([key, value]) => {
    const entry = document.createElement("div");
    entry.append(document.createElement("dt"), document.createElement("dd"));
    entry.firstChild.textContent = key;
    entry.lastChild.textContent = typeof value === "string" ? value : JSON.stringify(value);
    return entry;
  }));
}

function drawElapsed() {
  const end = state.ended_at ? Date.parse(state.ended_at) : now();
  const paused = state.paused_ms + (state.pause ? end - Date.parse(state.pause.since) : 0);
  byId("elapsed").textContent = duration(end - began - paused);
  byId("paused").textContent = duration(paused);
  byId("paused").closest("div").hidden = !paused;
}

function drawResult() {
  const result = byId("result");
  result.dataset.status = state.status;
  result.querySelector("h2").textContent = state.error ? "Error" : "Output";
  byId("result-message").hidden = !state.error;
  byId("result-message").textContent = state.error?.message ?? "";
  const culprit = byId("culprit");
  culprit.dataset.node = state.error?.node_id ?? culprit.dataset.node;
  culprit.hidden = !cards.has(culprit.dataset.node);
  const shown = state.error ?? state.outputs;
  const text = state.outputs_omitted
    ? `${state.outputs_omitted} characters: fetch them from the API.`
    : JSON.stringify(shown, null, 2);
  writeJson(byId("result-text"), text);
  result.hidden = shown == null && !state.outputs_omitted;
  result.classList.add("arrives");
}

function drawAll() {
  for (const id of state.nodes.keys()) drawNode(id);
  drawEdges();
  drawRun();
  drawMetadata();
  drawSpent();
  drawElapsed();
}

// Frames may come by the hundred: what they touch is drawn once, before the next paint.
const touched = new Set();
let begun = null; // the node that began last
const asking = new Set(); // nodes that began to wait
let everything = false;
let finished = false;
let planned = false;

function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    sortWaits();
    if (everything) drawAll();
    else for (const id of touched) drawNode(id);
    if (everything || touched.size) { drawEdges(); drawRun(); drawSpent(); drawElapsed(); }
    gantt.restate(everything ? state.nodes.keys() : touched);
    gantt.heard();
    touched.clear();
    everything = false;
    if (begun) view.follow(begun);
    begun = null;
    for (const id of asking) if (rows.has(id) && waits.has(id)) unfold(rows.get(id));
    asking.clear();
    if (finished) drawResult();
    finished = false;
  });
}

/** A node, and what is in its body: that stands as its container does until it is visited. */
function touch(id) {
  touched.add(id);
  for (const inner of state.bodies.get(id) ?? []) touch(inner);
}

function heard(frame) {
  spend(frame);
  if (frame.type === "execution:started") began = Date.parse(frame.timestamp); // until then: since it was stored
  if (frame.type === "node:token") {
    const [id] = parted(frame.stream);
    if (rows.has(id) && frame.offset === 0) unfold(rows.get(id));
    touched.add(id);
  } else if (frame.type === "node:reached") {
    touched.add(parted(frame.stream)[0]);
  } else if (frame.type === "snapshot" || frame.type.startsWith("execution:")) {
    everything = true;
    for (const id of state.streams.keys()) if (rows.has(id) && !isFinal(nodeOf(id).status)) unfold(rows.get(id));
    finished = isFinal(state.status) && frame.type !== "snapshot";
  } else {
    touch(frame.node_id);
    if (frame.type === "node:started") begun = frame.node_id;
    if (frame.type === "node:waiting") asking.add(frame.node_id);
  }
  plan();
}

byId("culprit").addEventListener("click", ({ target }) => {
  select(target.dataset.node);
  view.show(target.dataset.node);
});

// ---- copying
for (const button of document.querySelectorAll(".copy")) {
  button.disabled = !navigator.clipboard; // only pages of a secure origin have one
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy ?? byId(button.dataset.copyFrom).textContent);
    const use = button.querySelector("use");
    use.setAttribute("href", "#i-done");
    setTimeout(() => use.setAttribute("href", "#i-copy"), 1200);
  });
}

// ---- go
byId("started").textContent = new Date(began).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
if (!byId("result").hidden) writeJson(byId("result-text"), byId("result-text").textContent);
byId("culprit").hidden = !cards.has(byId("culprit").dataset.node);
drawAll();
const isAsked = (id) => waitsOf(id).some(({ kind }) => kind === "human");
const unfoldable = [...waits.keys()].filter((id) => rows.has(id)).sort((one, other) => isAsked(other) - isAsked(one));
for (const row of unfoldable.slice(0, UNFOLDED).map((id) => rows.get(id))) {
  unfolded.add(row);
  open(row);
}
/** What the address names. */
function goToPlace(behavior) {
  const { node, scope } = placeIn(location.hash);
  if (!rows.has(node)) return select(null, { keep: false });
  if (scope !== null || !seen.isNewest(node)) seen.pick(node, scope);
  select(node, { scroll: behavior, keep: false });
  view.show(node, behavior);
  drawDetail(node);
}
goToPlace("instant");
window.addEventListener("popstate", () => goToPlace(calmly));

const WORDS = { connecting: "Connecting", open: "Live", retrying: "Reconnecting…", over: "", refused: "Link over: reload" };
if (data.socket) {
  client = new RunClient({
    url: `${location.protocol.replace("http", "ws")}//${location.host}${data.socket.path}`,
    token: data.socket.token,
    expiresAt: data.socket.expires_at,
    state,
  });
  client.addEventListener("change", ({ detail }) => heard(detail));
  client.addEventListener("connection", ({ detail }) => {
    byId("connection").dataset.state = detail === "over" ? "past" : detail;
    byId("connection").querySelector("span").textContent = WORDS[detail];
  });
  client.open();
  let ticks = 0;
  const ticking = setInterval(() => {
    drawElapsed();
    ticks += 1; // what is through only gives way as the run gets longer: once a second will do
    for (const [id, node] of state.nodes) if (stands(node) === "running" || (node.started_at && ticks % 4 === 0)) drawTimes(id);
    if (ticks % 4 === 0) tick(byId("rows"), now());
    if (isFinal(state.status)) clearInterval(ticking);
  }, 250);
}
