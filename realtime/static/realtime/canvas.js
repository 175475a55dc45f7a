// The graph's frame: zoom, drag, keys, and keeping what happens in sight.

import { LARGEST, SMALLEST, firstSight, whole } from "./framing.js";

const STEP = 1.25;
const MANY = 150; // cards, above which shadows and fades cost more than they are worth
const FAR = 0.62; // below, cards have names in larger letters and nothing else (`live.css`)
const READABLE = matchMedia("(width <= 860px)").matches ? 0.5 : 0.42;
const HIDDEN = 6; // pixels of the graph beyond a border that are worth a hint
const CALMLY = 800; // milliseconds at least between two moves of its own: a loop begins a node many times a second
const HANDS_OFF = 4000; // milliseconds after somebody moved the graph in which it does not move by itself

/**
 * @param {HTMLElement} scroll
 * @param {SVGSVGElement} graph
 * @param {Map<string, SVGGElement>} cards by node
 * @param {string} first the node to begin with, where not all can be seen
 */
export function canvas(scroll, graph, cards, first) {
  graph.toggleAttribute("data-many", cards.size > MANY);
  const { width, height } = graph.viewBox.baseVal;
  let zoom = 1;
  let movedAt = -Infinity;
  let followedAt = -Infinity;
  let chosen = () => {};
  // As they were when they last changed: to ask while nodes change has the browser lay all of them out at once.
  const seen = { left: 0, top: 0, width: scroll.clientWidth, height: scroll.clientHeight };
  const view = () => ({ width: seen.width, height: seen.height });

  function setZoom(wanted, at = { x: scroll.clientWidth / 2, y: scroll.clientHeight / 2 }) {
    const next = Math.min(LARGEST, Math.max(Math.min(SMALLEST, whole(view(), { width, height })), wanted));
    const [x, y] = [(scroll.scrollLeft + at.x) / zoom, (scroll.scrollTop + at.y) / zoom];
    zoom = next;
    graph.setAttribute("width", width * zoom);
    graph.setAttribute("height", height * zoom);
    graph.toggleAttribute("data-far", zoom < FAR);
    scroll.scrollTo(x * zoom - at.x, y * zoom - at.y);
  }

  function fit() {
    setZoom(whole(view(), { width, height }));
  }

  function begin() {
    const card = cards.get(first);
    const target = card ? place(card) : { x: 0, y: 0, right: width, bottom: 0 };
    const sight = firstSight(view(), { width, height }, target, READABLE);
    setZoom(sight.zoom);
    scroll.scrollTo(sight.left, sight.top);
    Object.assign(seen, { left: scroll.scrollLeft, top: scroll.scrollTop });
    hint();
  }

  /** What lies beyond a border shows there as a shade. */
  function hint() {
    const [before, after] = [scroll.scrollLeft, scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft];
    scroll.parentElement.toggleAttribute("data-before", before > HIDDEN);
    scroll.parentElement.toggleAttribute("data-after", after > HIDDEN);
  }

  function place(card) {
    const [x, y] = card.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
    const box = card.querySelector(".box");
    return { x, y, right: x + box.width.baseVal.value, bottom: y + box.height.baseVal.value };
  }

  function show(id, behavior = "smooth") {
    const card = cards.get(id);
    if (!card) return;
    const at = place(card);
    const [left, top] = [seen.left / zoom, seen.top / zoom];
    const [right, bottom] = [left + seen.width / zoom, top + seen.height / zoom];
    if (at.x >= left && at.right <= right && at.y >= top && at.bottom <= bottom) return;
    scroll.scrollTo({
      left: ((at.x + at.right) / 2) * zoom - seen.width / 2,
      top: ((at.y + at.bottom) / 2) * zoom - seen.height / 2,
      behavior,
    });
  }

  /** Show what has just started, unless somebody is looking elsewhere. */
  function follow(id) {
    const now = performance.now();
    if (now - movedAt < HANDS_OFF || now - followedAt < CALMLY || graph.contains(document.activeElement)) return;
    followedAt = now;
    show(id);
  }

  document.getElementById("zoom-in").addEventListener("click", () => setZoom(zoom * STEP));
  document.getElementById("zoom-out").addEventListener("click", () => setZoom(zoom / STEP));
  document.getElementById("zoom-fit").addEventListener("click", fit);

  scroll.addEventListener("wheel", (event) => {
    movedAt = performance.now();
    if (!event.ctrlKey && !event.metaKey) return; // plain wheels scroll; a pinch on a trackpad comes with ctrl
    event.preventDefault();
    const box = scroll.getBoundingClientRect();
    setZoom(zoom * Math.exp(-event.deltaY / 200), { x: event.clientX - box.left, y: event.clientY - box.top });
  }, { passive: false });
  const look = () => {
    Object.assign(seen, { left: scroll.scrollLeft, top: scroll.scrollTop, width: scroll.clientWidth, height: scroll.clientHeight });
    hint();
  };
  scroll.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(scroll);
  scroll.addEventListener("touchmove", () => { movedAt = performance.now(); }, { passive: true });

  // Touch scrolls by itself; a mouse drags.
  let grip = null;
  scroll.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const { clientX: fromX, clientY: fromY } = event;
    grip = { x: fromX + scroll.scrollLeft, y: fromY + scroll.scrollTop, fromX, fromY, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!grip) return;
    grip.moved ||= Math.hypot(event.clientX - grip.fromX, event.clientY - grip.fromY) > 4;
    if (!grip.moved) return;
    movedAt = performance.now();
    scroll.classList.add("dragging");
    scroll.scrollTo(grip.x - event.clientX, grip.y - event.clientY);
  });
  window.addEventListener("pointerup", () => {
    const dragged = grip?.moved;
    grip = null;
    scroll.classList.remove("dragging");
    if (dragged) window.addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
  });

  // Cards: click and Enter choose one, arrows go to the nearest in their direction.
  const WAYS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
  for (const [id, card] of cards) {
    card.addEventListener("click", () => chosen(id));
    card.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        chosen(id);
      } else if (event.key in WAYS) {
        event.preventDefault();
        nearest(card, WAYS[event.key])?.focus();
      }
    });
    card.addEventListener("focus", () => show(id));
  }

  function nearest(from, [dx, dy]) {
    const here = place(from);
    let [best, least] = [null, Infinity];
    for (const card of cards.values()) {
      const there = place(card);
      const [x, y] = [there.x - here.x, there.y - here.y];
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (along > 1 && along + 2 * aside < least) [best, least] = [card, along + 2 * aside];
    }
    return best;
  }

  begin();
  return { show, follow, onSelect: (choose) => { chosen = choose; } };
}
