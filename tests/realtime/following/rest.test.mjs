// What the client asks of the REST API.
import assert from "node:assert/strict";
import { test } from "node:test";
import { module, network } from "./fakes.mjs";

const { ApiError, RunClient } = await module("flowmaestro.js");

function run(answers, more = { apiKey: "key" }) {
  const asked = [];
  const fetch = async (address, { method, headers, body }) => {
    asked.push({ method, path: address.pathname, headers, body: body && JSON.parse(body) });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const where = { baseUrl: "https://site.example", executionId: "run", token: "ticket", ...more };
  return { asked, run: new RunClient({ ...where, fetch, WebSocket: network().WebSocket }) };
}

const fine = (data = {}) => Response.json({ data });

test("each act is one call with the key", async () => {
  const { asked, run: client } = run([fine({ status: "running" }), fine(), fine(), fine(), fine()]);

  assert.deepEqual(await client.resume("w1", { approve: true }), { status: "running" });
  await client.resume();
  await client.pause();
  await client.cancel("enough");
  await client.cancel();

  assert.deepEqual(asked.map(({ method, path, body }) => [method, path, body]), [
    ["POST", "/api/v1/executions/run/resume", { waitpoint_id: "w1", input: { approve: true } }],
    ["POST", "/api/v1/executions/run/resume", {}],
    ["POST", "/api/v1/executions/run/pause", {}],
    ["POST", "/api/v1/executions/run/cancel", { reason: "enough" }],
    ["POST", "/api/v1/executions/run/cancel", {}],
  ]);
  assert.ok(asked.every(({ headers }) => headers.Authorization === "Bearer key"));
  assert.equal(new Set(asked.map(({ headers }) => headers["Idempotency-Key"])).size, 5);
});

test("an answer of null is an answer", async () => {
  const { asked, run: client } = run([fine()]);

  await client.resume("w1", null);

  assert.deepEqual(asked[0].body, { waitpoint_id: "w1", input: null });
});

test("who is logged in names their headers, and no key", async () => {
  const { asked, run: client } = run([fine()], { headers: { "X-CSRFToken": "c" } });

  await client.pause();

  assert.deepEqual(Object.keys(asked[0].headers).sort(), ["Content-Type", "Idempotency-Key", "X-CSRFToken"]);
});

test("a call that was lost, or came too soon, is sent again under the same key", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const busy = new Response("{}", { status: 429, headers: { "Retry-After": "3" } });
  const { asked, run: client } = run([new TypeError("fetch failed"), busy, fine({ id: "run" })]);
  const done = client.cancel();
  const moments = [];
  for (let second = 0; second < 6 && asked.length < 3; second += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
    moments.push(asked.length);
    t.mock.timers.tick(1000);
  }

  assert.deepEqual(await done, { id: "run" });
  assert.deepEqual(moments, [1, 2, 2, 2, 3]);
  assert.equal(new Set(asked.map(({ headers }) => headers["Idempotency-Key"])).size, 1);
});

test("a no of the API is an ApiError with its code, and is not asked for again", async () => {
  const error = { code: "invalid_answer", message: "A number was asked for.", details: { at: "$" } };
  const { asked, run: client } = run([Response.json({ error }, { status: 422 })]);

  await assert.rejects(client.resume("w1", "x"), (told) => {
    assert.ok(told instanceof ApiError);
    assert.deepEqual({ code: told.code, message: told.message, details: told.details, status: told.status }, { ...error, status: 422 });
    return true;
  });
  assert.equal(asked.length, 1);
});

test("a proxy's page is an ApiError as well", async () => {
  const { run: client } = run([new Response("<html>", { status: 403 })]);

  await assert.rejects(client.pause(), { name: "ApiError", status: 403, message: "The server answered with 403." });
});
