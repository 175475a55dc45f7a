// The hook with React itself, and the component of the README. FLOWMAESTRO_NODE_MODULES is a folder with react and
// react-test-renderer installed, in which component.mjs is the README's snippet.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { event, network, snapshot, token } from "./fakes.mjs";

const folder = process.env.FLOWMAESTRO_NODE_MODULES;
const require = createRequire(pathToFileURL(`${folder}/component.mjs`));
const { StrictMode, act, createElement } = require("react");
const { create } = require("react-test-renderer");
const { Run } = await import(pathToFileURL(`${folder}/component.mjs`).href);
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const pictures = () => act(() => new Promise((resolve) => { setTimeout(resolve, 40); }));

for (const strict of [false, true]) {
  test(`the README's component shows a run${strict ? ", in StrictMode" : ""}`, async (t) => {
    const net = network();
    globalThis.WebSocket = net.WebSocket;
    globalThis.location = { origin: "https://site.example" };
    const asked = [];
    globalThis.fetch = async (address, { body }) => { asked.push([address.pathname, body]); return Response.json({ data: {} }); };
    const faults = t.mock.method(console, "error", () => {});
    const component = createElement(Run, { executionId: "run", token: "ticket" });
    let root;
    await act(() => { root = create(strict ? createElement(StrictMode, null, component) : component); });
    t.after(() => act(() => root.unmount()));
    await pictures();
    assert.equal(net.sockets.length, 1);

    net.last().hear(snapshot(), event(1, "node:started"), token(0, "Hello"));
    await pictures();
    assert.deepEqual(root.root.findAllByType("p").map(({ children }) => children), [["Hello"]]);

    const waitpoint = { id: "w1", kind: "human", prompt: "Well?" };
    net.last().hear(event(2, "node:waiting", { waitpoint }), event(3, "execution:paused", { reason: "waiting" }));
    await pictures();
    assert.deepEqual(root.root.findByType("h2").children, ["paused"]);
    await act(() => root.root.findByType("button").props.onClick());
    assert.deepEqual(asked, [["/api/v1/executions/run/resume", '{"waitpoint_id":"w1","input":true}']]);

    net.last().hear(event(4, "execution:completed", { outputs: { a: 1 } }));
    await pictures();
    assert.deepEqual([root.root.findByType("h2").children, root.root.findByType("pre").children], [["completed"], ['{"a":1}']]);
    await act(() => root.unmount());
    const told = faults.mock.calls.map(({ arguments: [text] }) => String(text)).filter((text) => !text.includes("deprecated"));
    assert.deepEqual(told, []);
  });
}
