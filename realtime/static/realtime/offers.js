// What can be done with a run, or from one of its nodes on, as it stands: and where not, why. Pure.

const OVER = "The run is over.";
const GOING = "The run is still going on: cancel it first, or wait for its end.";

/**
 * @typedef {object} Offer
 * @property {"pause"|"resume"|"cancel"|"retry"|"rerun"} name
 * @property {boolean} shown
 * @property {string} why it cannot be done; "" when it can
 */

/**
 * @param {{status: string, pause: ?{reason: string}}} run
 * @param {{cancel: boolean, resume: boolean, start: boolean, ticket: boolean}} can whoever looks may
 * @param {boolean} [holding] a pause has been asked for, and what runs is still finishing
 * @returns {Offer[]}
 */
export function offers({ status, pause }, can, holding = false) {
  const over = ["completed", "failed", "cancelled"].includes(status);
  const held = pause?.reason === "requested" || holding;
  const may = (allowed, doing) => (allowed ? "" : refused(can, doing));
  return [
    // A ticket may answer what is asked, and no more.
    { name: "pause", shown: !over && !held, why: over ? OVER : may(can.resume && !can.ticket, "pause runs") },
    { name: "resume", shown: !over && held, why: over ? OVER : may(can.resume, "let runs go on") },
    { name: "cancel", shown: !over, why: over ? OVER : may(can.cancel, "cancel runs") },
    {
      name: "retry",
      shown: status === "failed" || status === "cancelled",
      why: !over ? GOING : status === "completed" ? "Nothing of it failed." : may(can.start, "start runs"),
    },
    { name: "rerun", shown: over, why: over ? may(can.start, "start runs") : GOING },
  ];
}

/** Why the run cannot be begun again at *node*; "" when it can. */
export function whyNotFrom(node, { status }, can) {
  if (!["completed", "failed", "cancelled"].includes(status)) return GOING;
  if (!can.start) return refused(can, "start runs");
  if (node.parent) return "It is in a body: begin again at the container.";
  if (!node.attempt && !node.kept) return "It did not run.";
  return "";
}

function refused({ ticket }, doing) {
  return ticket ? `The link that opened this page may not ${doing}: log in.` : `Your role may not ${doing}.`;
}

/**
 * The inputs of a run as a schema, so that they can be asked for again: of the kinds that their values have.
 * @param {Record<string, *>} inputs
 */
export function schemaOf(inputs) {
  const kind = (value) => {
    if (typeof value === "string") return { type: "string", default: value };
    if (typeof value === "number") return { type: "number", default: value };
    if (typeof value === "boolean") return { type: "boolean", default: value };
    return { type: ["object", "array", "null"], default: value };
  };
  return { type: "object", properties: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, kind(value)])) };
}

/** Of *inputs*, those that are not as they were before: what a rerun has to be told. */
export function changed(inputs, before) {
  const same = (name) => JSON.stringify(inputs[name]) === JSON.stringify(before[name]);
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !(name in before) || !same(name)));
}
