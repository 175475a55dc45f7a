// The geometry of a timeline: ticks, bars, and what a bar says in words. Pure; times are milliseconds after the start.

import { duration } from "./wording.js";

/**
 * @typedef {object} Span
 * @property {"ran"|"failed"|"retry"|"wait"} kind
 * @property {number} began_ms
 * @property {?number} ended_ms null: it goes on
 * @property {number} count visits that it stands for
 */

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000];
const DAY = 86_400_000;
const APART = 90; // pixels that two ticks are apart at least
const SLIMMEST = 3; // pixels of a bar: what took no time is seen all the same

/**
 * The moments that are written above a timeline.
 * @param {number} total milliseconds @param {number} width pixels
 * @returns {Array<{at: number, text: string}>}
 */
export function ticks(total, width) {
  const most = Math.max(1, Math.floor(width / APART));
  const least = total / most;
  const step = STEPS.find((each) => each >= least) ?? Math.ceil(least / DAY) * DAY;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, at) => ({ at: at * step, text: at ? `+${duration(at * step)}` : "0" }));
}

/**
 * Where the bars of *spans* are, in pixels. Those of waits come last, as they are drawn over what waits.
 * @param {Span[]} spans @param {{total: number, width: number}} scale
 * @returns {Array<{x: number, width: number, kind: string, open: boolean, title: string}>}
 */
export function bars(spans, { total, width }) {
  const inOrder = [...spans.filter(({ kind }) => kind !== "wait"), ...spans.filter(({ kind }) => kind === "wait")];
  return inOrder.map((span) => {
    const [from, to] = [span.began_ms, Math.max(span.began_ms, span.ended_ms ?? total)];
    const left = Math.min((from / total) * width, width - SLIMMEST);
    const long = Math.max(SLIMMEST, ((to - from) / total) * width);
    return {
      x: Math.max(0, left),
      width: Math.min(long, width - Math.max(0, left)),
      kind: span.kind,
      open: span.ended_ms === null,
      title: `${span.count > 1 ? `${span.count} × ` : ""}${WORDS[span.kind]}, +${duration(from)}, ${duration(to - from)}`,
    };
  });
}

const WORDS = { ran: "ran", failed: "failed", retry: "waited for the next attempt", wait: "waited" };

/**
 * What a row says to whom does not see it.
 * @param {Span[]} spans @param {number} total
 * @returns {{began: string, took: string, what: string}}
 */
export function summary(spans, total) {
  if (!spans.length) return { began: "", took: "", what: "did not begin" };
  const length = ({ began_ms, ended_ms }) => Math.max(0, (ended_ms ?? total) - began_ms);
  const of = (...kinds) => spans.filter(({ kind }) => kinds.includes(kind));
  const visits = of("ran", "failed").reduce((sum, { count }) => sum + count, 0);
  const failed = of("failed").reduce((sum, { count }) => sum + count, 0);
  const first = Math.min(...spans.map(({ began_ms }) => began_ms));
  const last = Math.max(...spans.map(({ ended_ms }) => ended_ms ?? total));
  const waited = of("wait", "retry").reduce((sum, span) => sum + length(span), 0);
  const told = [visits === 1 ? "once" : `${visits} times`, failed && `${failed} failed`, waited && `waited ${duration(waited)}`];
  return { began: `+${duration(first)}`, took: duration(last - first), what: told.filter(Boolean).join(", ") };
}
