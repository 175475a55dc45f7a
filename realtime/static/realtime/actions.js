// The buttons of a run: pause, go on, cancel, retry, rerun. They ask where something is lost, and say what went wrong.

import { wish } from "./api.js";
import { fieldsOf } from "./fields.js";
import { makeForm } from "./form.js";
import { changed, offers, schemaOf } from "./offers.js";

const byId = (id) => document.getElementById(id);

/**
 * @param {string} run its id
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Access["can"]} can
 * @param {() => import("./state.js").RunState} state
 * @returns {{draw: () => void, rerunFrom: (node: {node_id: string, name: string}) => void}}
 */
export function actions(run, api, can, state) {
  const buttons = new Map([...byId("actions").querySelectorAll("[data-action]")].map((each) => [each.dataset.action, each]));
  let holding = false; // a pause was asked for
  let busy = null; // the name of what has been asked for and not been answered

  function draw() {
    const { status, pause } = state();
    if (pause || ["completed", "failed", "cancelled"].includes(status)) holding = false;
    for (const { name, shown, why } of offers({ status, pause }, can, holding)) {
      const button = buttons.get(name);
      const hadFocus = button === document.activeElement;
      button.hidden = !shown;
      // Not `disabled`: who comes by keyboard would never learn why.
      button.setAttribute("aria-disabled", String(Boolean(why) || busy !== null));
      button.title = why;
      button.dataset.why = why;
      if (hadFocus && !shown) byId("actions").querySelector("[data-action]:not([hidden])")?.focus();
    }
    buttons.get("retry").querySelector("span").textContent = `Retry ${status === "failed" ? "from the failure" : "where it broke off"}`;
    buttons.get("resume").querySelector("span").textContent = holding ? "Pausing…  go on" : "Go on";
  }

  async function act(name, path, body, key = wish()) {
    if (busy) return null;
    busy = name;
    draw();
    try {
      return await api.post(`/executions/${run}/${path}`, body, key);
    } finally {
      busy = null;
      draw();
    }
  }

  /** Says what went wrong where it was wanted. */
  async function attempt(name, path, body) {
    tell("");
    try {
      return await act(name, path, body);
    } catch (error) {
      tell(error.message);
      return null;
    }
  }

  const doing = {
    async pause() {
      holding = Boolean(await attempt("pause", "pause", {}));
      draw();
    },
    async resume() {
      if (await attempt("resume", "resume", {})) holding = false;
      draw();
    },
    cancel() {
      const key = wish();
      openDialog("Cancel this run?", "What is running is stopped. What completed is kept, and the run can be begun again where it broke off.", (dialog) => {
        const asked = { type: "object", properties: { reason: { type: "string", title: "Reason", maxLength: 200 } } };
        const form = makeForm(fieldsOf({ schema: asked, form: {} }), {
          submit: "Cancel the run",
          onSubmit: (body) => within(dialog, () => act("cancel", "cancel", body, key)),
        });
        form.querySelector(".primary").classList.add("danger");
        return form;
      });
    },
    async retry() {
      goTo(await attempt("retry", "retry", {}));
    },
    rerun: () => rerun(null),
  };

  /** Inputs can be changed first; a run that had none is asked about all the same, as it may do things twice. */
  async function rerun(node) {
    tell("");
    const key = wish();
    let before;
    try {
      before = (await api.get(`/executions/${run}`)).inputs ?? {};
    } catch (error) {
      return tell(error.message);
    }
    const what = node ? `“${node.name}” and what follows it run again; the rest is kept.` : "All of it runs again.";
    openDialog(node ? "Begin again from here?" : "Run it again?", `${what} It will be a run of its own: this one stays as it is.`, (dialog) => {
      const form = makeForm(Object.keys(before).length ? fieldsOf({ schema: schemaOf(before), form: {} }) : [], {
        submit: node ? "Begin again" : "Run it again",
        onSubmit: (inputs) => within(dialog, async () => {
          const told = changed(inputs ?? {}, before);
          const body = { ...(node ? { from_node: node.node_id } : {}), ...(Object.keys(told).length ? { inputs: told } : {}) };
          goTo(await act("rerun", "rerun", body, Object.keys(told).length ? wish() : key));
        }),
      });
      return form;
    });
  }

  for (const [name, button] of buttons) {
    button.addEventListener("click", () => {
      if (button.dataset.why) tell(button.dataset.why);
      else if (!busy) doing[name]();
    });
  }
  draw();
  return { draw, rerunFrom: rerun };
}

/** What went wrong, above the page; "" takes it away. */
export function tell(words) {
  byId("told").textContent = words;
}

function goTo(started) {
  if (started) location.assign(`/executions/${started.execution_id}/live`);
}

async function within(dialog, doing) {
  try {
    await doing();
    dialog.close();
    return null;
  } catch (error) {
    return { "": error.message };
  }
}

function openDialog(title, text, write) {
  const dialog = byId("dialog");
  byId("dialog-title").textContent = title;
  byId("dialog-text").textContent = text;
  const form = write(dialog);
  const back = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Back" });
  back.addEventListener("click", () => dialog.close());
  const row = document.createElement("div");
  row.className = "row-of-buttons";
  row.append(back, form.querySelector(".primary"));
  form.append(row);
  byId("dialog-form").replaceChildren(form);
  dialog.showModal();
}
