// All that somebody hears of a run who follows it with the client, from its first event to its end.
// In Node: node watching.mjs '{"url": …, "token": …, "nodes": […]}' prints it as JSON.

export async function watch({ connect }, { nodes, ...where }) {
  const run = connect(where);
  const opened = { times: 0 };
  run.addEventListener("connection", ({ detail }) => { opened.times += detail === "open"; });
  const texts = nodes.map(async (id) => {
    let [text, pieces] = ["", 0];
    for await (const piece of run.stream(id)) {
      if (piece.offset !== [...text].length) throw new Error(`${id}: ${piece.offset} after ${[...text].length}`);
      text += piece.text;
      pieces += 1;
    }
    return { text, pieces };
  });
  const events = [];
  for await (const event of run.events()) events.push(event);
  const statuses = [...run.state.nodes.values()].map(({ node_id, status }) => [node_id, status]);
  return { events, texts: await Promise.all(texts), finished: await run.finished, opened: opened.times, statuses };
}

if (globalThis.process?.argv[1] === new URL(import.meta.url).pathname) {
  const folder = new URL("../../../realtime/static/realtime/", import.meta.url);
  const told = await watch(await import(new URL("flowmaestro.js", folder)), JSON.parse(process.argv[2]));
  process.stdout.write(JSON.stringify(told));
}
