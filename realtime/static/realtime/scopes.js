// Paths of iterations and branches: `loop1[3]/par2[0]` is branch 0 of par2 in iteration 3 of loop1. Pure.

/** @typedef {{container: string, index: number}} Level */

/** @param {string} scope @returns {Level[]} from the outermost in; none at the top level */
export function levelsOf(scope) {
  return scope ? scope.split("/").map((part) => {
    const cut = part.lastIndexOf("[");
    return { container: part.slice(0, cut), index: Number(part.slice(cut + 1, -1)) };
  }) : [];
}

/** @param {Level[]} levels @returns {string} */
export function scopeOf(levels) {
  return levels.map(({ container, index }) => `${container}[${index}]`).join("/");
}

/**
 * How many iterations or branches there are at each level of *scope*, as far as it is known: of the one that went on
 * last only, and of a loop with a condition never before its end.
 * @param {string} scope @param {(id: string) => import("./state.js").NodeState} nodeOf
 * @returns {Array<?number>}
 */
export function totalsOf(scope, nodeOf) {
  const levels = levelsOf(scope);
  return levels.map(({ container }, at) => {
    const node = nodeOf(container);
    if (!node?.progress || node.scope !== scopeOf(levels.slice(0, at))) return null;
    return node.progress.total ?? (node.status === "completed" ? node.progress.done : null);
  });
}

/** The place in the page that *hash* names: `#node=…&scope=…`, or only a node's id. */
export function placeIn(hash) {
  const text = hash.replace(/^#/, "");
  if (!text) return { node: null, scope: null };
  if (!text.startsWith("node=")) return { node: decodeURIComponent(text), scope: null };
  const told = new URLSearchParams(text);
  return { node: told.get("node"), scope: told.get("scope") };
}

/** @param {string} node @param {?string} scope null: the newest visit, whichever that is */
export function hashOf(node, scope) {
  const place = new URLSearchParams({ node, ...(scope ? { scope } : {}) });
  return `#${place}`;
}
