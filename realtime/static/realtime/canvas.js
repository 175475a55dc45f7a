// The graph's frame: zoom, drag, keys, and keeping what happens in sight.

const [SMALLEST, LARGEST, STEP] = [0.2, 2, 1.25];
// Of full size, at first sight: a graph that is wider is cropped, one that is taller scrolls.
const READABLE = matchMedia("(width <= 860px)").matches ? 0.72 : 0.6;
const COMFORTABLE = 0.85;
const HANDS_OFF = 4000; // milliseconds after somebody moved the graph in which it does not move by itself

/**
 * @param {HTMLElement} scroll
 * @param {SVGSVGElement} graph
 * @param {Map<string, SVGGElement>} cards by node
 */
export function canvas(scroll, graph, cards) {
  const { width, height } = graph.viewBox.baseVal;
  let zoom = 1;
  let movedAt = -Infinity;
  let chosen = () => {};

  function setZoom(wanted, at = { x: scroll.clientWidth / 2, y: scroll.clientHeight / 2 }) {
    const next = Math.min(LARGEST, Math.max(SMALLEST, wanted));
    const [x, y] = [(scroll.scrollLeft + at.x) / zoom, (scroll.scrollTop + at.y) / zoom];
    zoom = next;
    graph.setAttribute("width", width * zoom);
    graph.setAttribute("height", height * zoom);
    scroll.scrollTo(x * zoom - at.x, y * zoom - at.y);
  }

  function fit({ readable = false } = {}) {
    const [x, y] = [scroll.clientWidth / width, scroll.clientHeight / height];
    const whole = Math.min(1, x, y);
    setZoom(readable ? Math.max(whole, Math.min(COMFORTABLE, Math.max(READABLE, x))) : whole);
    scroll.scrollTo((width * zoom - scroll.clientWidth) / 2, 0);
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
    const [left, top] = [scroll.scrollLeft / zoom, scroll.scrollTop / zoom];
    const [right, bottom] = [left + scroll.clientWidth / zoom, top + scroll.clientHeight / zoom];
    if (at.x >= left && at.right <= right && at.y >= top && at.bottom <= bottom) return;
    scroll.scrollTo({
      left: ((at.x + at.right) / 2) * zoom - scroll.clientWidth / 2,
      top: ((at.y + at.bottom) / 2) * zoom - scroll.clientHeight / 2,
      behavior,
    });
  }

  /** Show what has just started, unless somebody is looking elsewhere. */
  function follow(id) {
    if (performance.now() - movedAt > HANDS_OFF && !graph.contains(document.activeElement)) show(id);
  }

  document.getElementById("zoom-in").addEventListener("click", () => setZoom(zoom * STEP));
  document.getElementById("zoom-out").addEventListener("click", () => setZoom(zoom / STEP));
  document.getElementById("zoom-fit").addEventListener("click", () => fit());

  scroll.addEventListener("wheel", (event) => {
    movedAt = performance.now();
    if (!event.ctrlKey && !event.metaKey) return; // plain wheels scroll; a pinch on a trackpad comes with ctrl
    event.preventDefault();
    const box = scroll.getBoundingClientRect();
    setZoom(zoom * Math.exp(-event.deltaY / 200), { x: event.clientX - box.left, y: event.clientY - box.top });
  }, { passive: false });
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

  fit({ readable: true });
  return { show, follow, onSelect: (choose) => { chosen = choose; } };
}
