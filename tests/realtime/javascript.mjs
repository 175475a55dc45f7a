// Runs the page's modules for the tests: reads {"call", "with"} from stdin, answers with JSON.
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const module = (name) => import(pathToFileURL(`${folder}/${name}`));
const { edgeLooks } = await module("edges.js");
const { answerFrom, byField, fieldsOf } = await module("fields.js");
const { changed, offers, schemaOf, whyNotFrom } = await module("offers.js");
const { firstSight } = await module("framing.js");
const { hashOf, levelsOf, placeIn, scopeOf, totalsOf } = await module("scopes.js");
const { bars, summary, ticks } = await module("spans.js");
const { emptyState, fold } = await module("state.js");
const { because, duration, money, standing, tally } = await module("wording.js");

const calls = {
  folds: (tellings) => tellings.map((frames) => {
    const { nodes, bodies, streams, waits, metadata, revisions, ...state } = frames.reduce(fold, emptyState());
    const [byNode, byStream] = [Object.fromEntries(nodes), Object.fromEntries(streams)];
    const lists = { waits: [...waits.values()], metadata: [...metadata] };
    return { ...state, ...lists, nodes: byNode, streams: byStream };
  }),
  tallies: (nodes) => nodes.map(({ waits, ...node }) => [standing(node, waits), tally(node, waits)]),
  standings: (list) => list.map(({ node, waits, paused }) => standing(node, waits, paused)),
  reasons: (list) => list.map(({ reason, waiting }) => because(reason, waiting)),
  durations: (list) => list.map(duration),
  sights: (asked) => asked.map(({ view, graph, target, readable }) => firstSight(view, graph, target, readable)),
  forms: (waits) => waits.map(fieldsOf),
  answers: (list) => list.map(({ wait, texts }) => answerFrom(fieldsOf(wait), texts)),
  placed: ({ wait, sentences }) => byField(fieldsOf(wait), sentences),
  offers: (list) => list.map(({ run, can, holding }) => offers(run, can, holding)),
  whyNot: (list) => list.map(({ node, run, can }) => whyNotFrom(node, run, can)),
  reruns: (list) => list.map(({ before, texts }) => {
    const { value, wrong } = answerFrom(fieldsOf({ schema: schemaOf(before), form: {} }), texts);
    return { wrong, changed: changed(value, before) };
  }),
  scopes: (list) => list.map((scope) => [levelsOf(scope), scopeOf(levelsOf(scope))]),
  totals: ({ scope, nodes }) => totalsOf(scope, (id) => nodes[id]),
  places: (list) => list.map((hash) => placeIn(hash)),
  hashes: (list) => list.map(({ node, scope }) => placeIn(hashOf(node, scope))),
  moneys: (list) => list.map(([dollars, unpriced]) => money(dollars, unpriced)),
  ticks: (list) => list.map(({ total, width }) => ticks(total, width)),
  bars: ({ spans, scale }) => bars(spans, scale),
  summaries: (list) => list.map(({ spans, total }) => summary(spans, total)),
  looks: (drawings) => drawings.map(({ edges, nodes }) => edgeLooks(edges, (id) => nodes[id])),
};

let input = "";
for await (const chunk of process.stdin) input += chunk;
const asked = JSON.parse(input);
process.stdout.write(JSON.stringify(calls[asked.call](asked.with)));
