// Which edges of a drawing were taken, read off how the nodes stand.

const TIMEOUT = "timeout";

/** Whether nobody answered it in time: it is completed, and leaves by its timeout and no other edge. */
export function isExpired(node) {
  return Boolean(node.pauses) && node.status === "completed" && node.port === TIMEOUT;
}

/**
 * Which edges were taken: "open", "taken" or "dead", in the order of *edges*. The rules of realtime/core/edges.py.
 * @param {Array<[string, string, string, ?string]>} edges source, target, type, port; in the order of their sources
 * @param {(id: string) => import("./state.js").NodeState & {disabled?: boolean, pauses?: boolean}} nodeOf
 */
export function edgeLooks(edges, nodeOf) {
  const into = new Map();
  return edges.map(([source, target, type, port]) => {
    const look = type === "body"
      ? bodyLook(nodeOf(source), nodeOf(target))
      : edgeLook(nodeOf(source), type === "back" ? leavesBy(port) : type, port, into.get(source) ?? []);
    if (type !== "back") into.set(target, [...(into.get(target) ?? []), look]);
    return look;
  });
}

/** How an edge back to a container leaves its node. */
function leavesBy(port) {
  if (port === null) return "success";
  return port === "error" ? "error" : "port";
}

function bodyLook(container, first) {
  if (container.status === "skipped") return "dead";
  if (["pending", "ready", "cancelled"].includes(container.status)) return "open";
  const isUntouched = first.status === "skipped" && !first.disabled;
  if (!isUntouched && !["pending", "cancelled"].includes(first.status)) return "taken";
  return container.status === "completed" ? "dead" : "open";
}

function edgeLook(node, type, port, into) {
  switch (node.status) {
    case "completed":
      if (isExpired(node)) return type === "port" && port === TIMEOUT ? "taken" : "dead";
      return type === "success" || (type === "port" && port === node.port) ? "taken" : "dead";
    case "failed":
      if (!node.handled) return "open";
      return type === "error" ? "taken" : "dead";
    case "skipped": {
      const passes = node.disabled && (!into.length || into.includes("taken"));
      return passes && type === "success" ? "taken" : "dead";
    }
    default:
      return "open";
  }
}
