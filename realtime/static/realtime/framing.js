// How much of a graph is seen, and where somebody begins to look. All lengths are pixels, those of the graph at full size.

export const [SMALLEST, LARGEST] = [0.2, 2];
const COMFORTABLE = 0.85; // what is too tall scrolls rather than getting smaller than this
const NEARLY = 0.85; // letters a little smaller are better than a graph that is cropped by a sliver
const EDGE = 24; // between what is looked at and the border

/** The zoom at which all of *graph* is in *view*, never above full size. */
export function whole(view, graph) {
  return Math.min(1, view.width / graph.width, view.height / graph.height);
}

/**
 * Zoom and scroll of the first sight: the whole width down to *readable*, the least zoom at which names can be read. Of
 * a graph that is wider still, the part around *target*, a box in it; of one that is taller, the top if *target* is there.
 */
export function firstSight(view, graph, target, readable) {
  const width = view.width / graph.width;
  const zoom = Math.max(whole(view, graph), Math.min(COMFORTABLE, width < NEARLY * readable ? readable : width));
  const atTop = target.bottom * zoom + EDGE <= view.height;
  return {
    zoom,
    left: within((zoom * (target.x + target.right) - view.width) / 2, graph.width * zoom - view.width),
    top: atTop ? 0 : within((zoom * (target.y + target.bottom) - view.height) / 2, graph.height * zoom - view.height),
  };
}

function within(wanted, most) {
  return Math.max(0, Math.min(wanted, most));
}
