// The timeline: a table with a bar for each attempt and each wait of a node, the times of the run from left to right.

import { bars, summary, ticks } from "./spans.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 1.5;
const MOST = 64; // times as wide as fits
const AGAIN = 2000; // milliseconds between two looks at a run that goes on
const HEIGHT = 22;

/**
 * @param {{run: string, api: import("./api.js").Api, nodes: Array<{node_id: string, name: string, parent: ?string}>,
 * statusOf: (id: string) => {status: string, handled: boolean}, isOver: () => boolean, now: () => number, onSelect: (id: string) => void}} given
 * @returns {{heard: () => void, restate: (ids: Iterable<string>) => void}} *heard*: something of the run has changed
 */
export function timeline({ run, api, nodes, statusOf, isOver, now, onSelect }) {
  const byId = (id) => document.getElementById(id);
  const place = byId("gantt");
  const scroll = byId("gantt-scroll");
  const table = byId("gantt-table");
  const rows = new Map(nodes.map((node) => [node.node_id, row(node)]));
  let told = null;
  let zoom = 1;
  let asked = null; // a timer
  let isStale = true;

  table.tBodies[0].append(...[...rows.values()].map(({ line }) => line));

  function row({ node_id, name, parent }) {
    const line = document.createElement("tr");
    line.dataset.node = node_id;
    const head = document.createElement("th");
    head.scope = "row";
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title: name });
    button.classList.toggle("inner", Boolean(parent));
    button.addEventListener("click", () => onSelect(node_id));
    head.append(button);
    const cell = document.createElement("td");
    const chart = document.createElementNS(SVG, "svg");
    chart.setAttribute("aria-hidden", "true");
    chart.setAttribute("height", HEIGHT);
    const words = document.createElement("span");
    words.className = "unseen";
    cell.append(chart, words);
    line.append(head, cell);
    restate(node_id, line);
    return { line, chart, words };
  }

  function restate(id, line) {
    const { status, handled } = statusOf(id);
    line.dataset.status = status;
    line.toggleAttribute("data-handled", handled);
  }

  async function look() {
    asked = null;
    isStale = false;
    const answer = await api.get(`/executions/${run}/timeline`).then((data) => data, (error) => {
      byId("gantt-note").textContent = error.message;
      return null;
    });
    if (!answer) return;
    byId("gantt-note").textContent = "";
    told = { ...answer, spans: new Map(answer.nodes.map(({ node_id, spans }) => [node_id, spans])) };
    draw();
  }

  function heard() {
    isStale = true;
    if (place.hidden || asked) return;
    asked = setTimeout(look, isOver() ? 200 : AGAIN);
  }

  const total = () => Math.max(1, (told.completed_at ? Date.parse(told.completed_at) : now()) - Date.parse(told.started_at));
  // A little is left on the right, so that the last bar does not touch the border.
  const width = () => Math.max(120, (scroll.clientWidth - byId("gantt-corner").offsetWidth - 16) * zoom);

  function draw() {
    if (!told || place.hidden) return;
    const scale = { total: total(), width: width() };
    drawAxis(scale);
    for (const [id, { line, chart, words }] of rows) {
      const spans = told.spans.get(id) ?? [];
      restate(id, line);
      chart.setAttribute("width", scale.width);
      chart.replaceChildren(...bars(spans, scale).map(({ x, width: long, kind, open, title }) => {
        const bar = shape("rect", { x, width: long, y: kind === "retry" ? 9 : 5, height: kind === "retry" ? 4 : 12, rx: 3, class: kind });
        if (open) bar.setAttribute("data-open", "");
        const label = document.createElementNS(SVG, "title");
        label.textContent = title;
        bar.append(label);
        return bar;
      }));
      const { began, took, what } = summary(spans, scale.total);
      words.textContent = began ? `began ${began}, ${took}, ${what}` : what;
    }
  }

  function drawAxis(scale) {
    const axis = byId("gantt-axis");
    axis.setAttribute("width", scale.width);
    axis.setAttribute("height", HEIGHT);
    const pauses = told.pauses.map(({ began_ms, ended_ms }) => ({ kind: "wait", count: 1, began_ms, ended_ms }));
    axis.replaceChildren(
      ...bars(pauses, scale).map(({ x, width: long }) => shape("rect", { x, width: long, y: 0, height: HEIGHT, class: "pause" })),
      ...ticks(scale.total, scale.width).flatMap(({ at, text }) => {
        const x = (at / scale.total) * scale.width;
        const words = shape("text", { x: x + 4, y: 15 });
        words.textContent = text;
        return [shape("line", { x1: x + 0.5, x2: x + 0.5, y1: 4, y2: HEIGHT }), words];
      }),
    );
  }

  /** Zoomed about the middle of what is seen. */
  function setZoom(wanted) {
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / zoom;
    zoom = Math.min(MOST, Math.max(1, wanted));
    draw();
    scroll.scrollLeft = middle * zoom - scroll.clientWidth / 2;
  }

  function show(wanted) {
    place.hidden = !wanted;
    byId("scroll").hidden = byId("zoom").hidden = wanted;
    byId("view-graph").setAttribute("aria-pressed", String(!wanted));
    byId("view-timeline").setAttribute("aria-pressed", String(wanted));
    if (wanted && isStale) look();
    else draw();
  }

  byId("view-graph").addEventListener("click", () => show(false));
  byId("view-timeline").addEventListener("click", () => show(true));
  byId("gantt-in").addEventListener("click", () => setZoom(zoom * STEP));
  byId("gantt-out").addEventListener("click", () => setZoom(zoom / STEP));
  byId("gantt-fit").addEventListener("click", () => setZoom(1));
  new ResizeObserver(draw).observe(scroll);
  const growing = setInterval(() => {
    if (isOver()) clearInterval(growing);
    draw();
  }, 1000);
  return {
    heard,
    restate(ids) {
      if (!place.hidden) for (const id of ids) if (rows.has(id)) restate(id, rows.get(id).line);
    },
  };
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}
