// Runs the page's modules for the tests: reads {"call", "with"} from stdin, answers with JSON.
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const module = (name) => import(pathToFileURL(`${folder}/${name}`));
const { edgeLooks } = await module("edges.js");
const { firstSight } = await module("framing.js");
const { emptyState, fold } = await module("state.js");
const { duration, standing, tally } = await module("wording.js");

const calls = {
  folds: (tellings) => tellings.map((frames) => {
    const { nodes, bodies, streams, ...state } = frames.reduce(fold, emptyState());
    return { ...state, nodes: Object.fromEntries(nodes), streams: Object.fromEntries(streams) };
  }),
  tallies: (nodes) => nodes.map((node) => [standing(node), tally(node)]),
  durations: (list) => list.map(duration),
  sights: (asked) => asked.map(({ view, graph, target, readable }) => firstSight(view, graph, target, readable)),
  looks: (drawings) => drawings.map(({ edges, nodes }) => edgeLooks(edges, (id) => nodes[id])),
};

let input = "";
for await (const chunk of process.stdin) input += chunk;
const asked = JSON.parse(input);
process.stdout.write(JSON.stringify(calls[asked.call](asked.with)));
