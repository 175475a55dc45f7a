// What the API has about the visits of nodes, and the page has not: inputs, logs, attempts, and iterations gone by.

import { levelsOf, scopeOf, totalsOf } from "./scopes.js";
import { duration, writeJson } from "./wording.js";

const CALMLY = 150; // milliseconds in which a node may change again before it is asked about
const MOST = 200; // lines of a log, the newest

/**
 * @param {string} run its id
 * @param {import("./api.js").Api} api
 * @param {(id: string) => import("./state.js").NodeState} nodeOf
 * @param {(id: string) => void} redraw called when there is news of a node
 */
export function visits(run, api, nodeOf, redraw) {
  const logs = new Map(); // by visit: {stamp, log, error}
  const picked = new Map(); // the scope that is looked at, by node; none: that of the newest visit
  const asked = new Map(); // timers, by visit

  const scopeAt = (id) => picked.get(id) ?? nodeOf(id).scope;
  const isNewest = (id) => scopeAt(id) === nodeOf(id).scope;

  function load(id) {
    const [node, scope] = [nodeOf(id), scopeAt(id)];
    const [key, stamp] = [`${scope}/${id}`, isNewest(id) ? `${node.status} ${node.attempt} ${node.due_at}` : "past"];
    if (logs.get(key)?.stamp === stamp || asked.has(key) || (isNewest(id) && !node.attempt && !node.kept)) return;
    asked.set(key, setTimeout(async () => {
      const told = await api.get(`/executions/${run}/nodes/${encodeURIComponent(id)}`, { scope }).then(
        (log) => ({ log, error: null }),
        (error) => ({ log: null, error: error.status === 404 ? "It was not come to here." : error.message }),
      );
      asked.delete(key);
      if (!isNewest(id) || told.log) for (const old of [...logs.keys()].slice(0, -50)) logs.delete(old);
      logs.set(key, { stamp, ...told });
      redraw(id);
    }, logs.has(key) ? CALMLY : 0));
  }

  return {
    scopeAt,
    isNewest,
    /** @param {?string} scope null: the newest again */
    pick(id, scope) {
      if (scope === null || scope === nodeOf(id).scope) picked.delete(id);
      else picked.set(id, scope);
    },
    /** The visit that is looked at, as the state has visits; null while it is not known. */
    seen(id) {
      if (isNewest(id)) return nodeOf(id);
      const { log } = logs.get(`${scopeAt(id)}/${id}`) ?? {};
      if (!log) return null;
      const { output, ...rest } = log;
      return { ...nodeOf(id), progress: null, visits: null, ...rest, ended_at: log.completed_at, ...(output === null ? { output: undefined } : { output }) };
    },
    /** What the API says of it; asks, where it has not, or something has changed. */
    of(id) {
      load(id);
      return logs.get(`${scopeAt(id)}/${id}`) ?? { log: null, error: null };
    },
  };
}

/**
 * Steps through the iterations of what *node* is in: a field for each level, with one back and one on at the innermost.
 * @param {HTMLElement} place
 * @param {{node: import("./state.js").NodeState, scope: string, nodeOf: Function, pick: (scope: ?string) => void}} at
 */
export function writePicker(place, { node, scope, nodeOf, pick }) {
  const [levels, totals] = [levelsOf(scope), totalsOf(scope, nodeOf)];
  const stamp = JSON.stringify([scope, totals, node.scope]);
  if (place.dataset.stamp === stamp) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  place.dataset.stamp = stamp;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", "Iteration");
  const go = (at, index) => {
    const most = totals[at] === null ? Infinity : totals[at] - 1;
    const next = levels.map((level, each) => (each === at ? { ...level, index: Math.max(0, Math.min(most, index)) } : level));
    pick(scopeOf(next));
  };
  const last = levels.length - 1;
  const parts = levels.map(({ container, index }, at) => {
    const label = made("label", "level");
    const name = nodeOf(container)?.name ?? container;
    const field = Object.assign(made("input"), { type: "text", inputMode: "numeric", value: String(index + 1), size: 4 });
    field.dataset.part = `level-${at}`;
    field.setAttribute("aria-label", `Iteration of ${name}`);
    field.addEventListener("change", () => {
      const wanted = Number.parseInt(field.value.replace(/\D/g, ""), 10);
      if (Number.isNaN(wanted)) field.value = String(index + 1);
      else go(at, wanted - 1);
    });
    label.append(made("span", "", name), field);
    if (totals[at] !== null) label.append(made("span", "of", `of ${totals[at].toLocaleString()}`));
    return label;
  });
  const back = button("previous", "‹", "One back", levels[last].index > 0, () => go(last, levels[last].index - 1));
  const on = button("next", "›", "One on", totals[last] === null || levels[last].index + 1 < totals[last], () => go(last, levels[last].index + 1));
  const newest = button("newest", "Newest", "The newest visit, and stay with it", scope !== node.scope, () => pick(null));
  place.replaceChildren(...parts, back, on, newest);
  if (focused) place.querySelector(`[data-part="${focused}"]`)?.focus();
}

/** Attempts before this one: when, how long, and why they were not the last. */
export function writeAttempts(place, attempts) {
  once(place, attempts, () => [heading(`${attempts.length} earlier ${attempts.length === 1 ? "attempt" : "attempts"}`), list(attempts.map((each) => {
    const took = duration(Date.parse(each.ended_at) - Date.parse(each.started_at));
    return [`${each.attempt}`, `${new Date(each.started_at).toLocaleTimeString()} · ${took}`, each.error.message];
  }), "attempt")]);
}

/** What it wrote into its log. */
export function writeLog(place, lines) {
  const shown = lines.slice(-MOST);
  const title = lines.length > MOST ? `Log, the last ${MOST} of ${lines.length} lines` : "Log";
  once(place, lines, () => [heading(title), list(shown.map(({ at, level, message }) => [level, new Date(at).toLocaleTimeString(), message]), "line")]);
}

/** Its configuration as it was resolved: what is secret in it is masked by the server. */
export function writeInput(place, input) {
  once(place, input, () => {
    const code = made("pre");
    code.tabIndex = 0;
    writeJson(code, JSON.stringify(input, null, 2));
    return [made("summary", "", "Input, as it was resolved"), code];
  });
}

/** Written anew only when it says something else: what is unfolded or selected in it stays. */
function once(place, value, write) {
  const stamp = JSON.stringify(value);
  if (place.stamp === stamp) return;
  place.stamp = stamp;
  place.replaceChildren(...write());
}

function list(rows, name) {
  const all = made("ol");
  all.append(...rows.map(([mark, when, words]) => {
    const row = made("li", name);
    row.dataset.mark = mark;
    row.append(made("b", "", mark), made("time", "", when), made("span", "", words));
    return row;
  }));
  return all;
}

function heading(words) {
  return made("h3", "", words);
}

function button(part, sign, title, isPossible, act) {
  const made_ = made("button", "step", sign);
  Object.assign(made_, { type: "button", title, disabled: !isPossible });
  made_.setAttribute("aria-label", title);
  made_.dataset.part = part;
  made_.addEventListener("click", act);
  return made_;
}

function made(tag, name = "", words = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (words) element.textContent = words;
  return element;
}
