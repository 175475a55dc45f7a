// Watches the runs of a workspace until one is over: node listing.mjs '{"baseUrl": …, "token": …}' prints what it was.
const folder = new URL("../../../realtime/static/realtime/", import.meta.url);
const { watchRuns } = await import(new URL("flowmaestro.js", folder));

const feed = watchRuns(JSON.parse(process.argv[2]));
const statuses = [];
feed.addEventListener("change", () => {
  const [run] = feed.runs.values();
  if (run && run.status !== statuses.at(-1)) statuses.push(run.status);
  if (run?.status !== "completed") return;
  process.stdout.write(JSON.stringify({ id: run.id, name: run.workflow_name, statuses }));
  feed.close();
});
feed.ended.catch((error) => { if (error.name !== "Closed") throw error; });
