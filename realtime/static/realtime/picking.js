// Which runs are selected, and what is done to them.

const byId = (id) => document.getElementById(id);
const VERBS = {
  retry: { done: "retried", title: "Retry", text: "Each begins again where it broke off, as a run of its own." },
  cancel: { done: "cancelled", title: "Cancel", text: "They end now, whatever they are doing. Outputs so far are kept." },
  delete: { done: "deleted", title: "Delete", text: "Their events, outputs and logs are gone for everybody. This cannot be undone." },
};
const SHOWN_ERRORS = 5;
const runs = (count) => `${count} ${count === 1 ? "run" : "runs"}`;

/**
 * @param {{workspace_id: string, csrf: string, can: Object<string, boolean>, filter: Object<string, string>, only_live: boolean}} data
 * @param {() => Promise<void>} refresh fetches the rows anew
 */
export function picking(data, refresh) {
  const picked = new Set();
  let everyOne = false; // that the filter finds, on this page or not
  let last = null;
  let isBusy = false;
  const rows = () => [...document.querySelectorAll("[data-run]")];
  const boxOf = (row) => row.querySelector(".pick input");

  function draw() {
    const here = rows();
    for (const row of here) {
      const box = boxOf(row);
      box.hidden = false;
      box.checked = everyOne || picked.has(row.dataset.run);
      row.toggleAttribute("data-picked", box.checked);
    }
    const all = byId("all");
    const chosen = here.filter((row) => boxOf(row).checked);
    if (all) {
      all.hidden = false;
      all.checked = chosen.length > 0 && chosen.length === here.length;
      all.indeterminate = chosen.length > 0 && chosen.length < here.length;
    }
    byId("acts").hidden = !chosen.length;
    byId("selected").textContent = everyOne ? "Every run that fits" : `${runs(chosen.length)} selected`;
    const more = document.querySelector(".pages a[rel]");
    byId("select-all").hidden = everyOne || !more || chosen.length < here.length || !Object.keys(data.filter).length;
    const fits = {
      compare: !everyOne && chosen.length === 2 && chosen[0].dataset.workflow === chosen[1].dataset.workflow,
      retry: data.can.retry && (everyOne ? !data.only_live : chosen.some((row) => "brokeOff" in row.dataset)),
      cancel: data.can.cancel && (everyOne || chosen.some((row) => !("over" in row.dataset))),
      delete: data.can.delete && (everyOne ? !data.only_live : chosen.some((row) => "over" in row.dataset)),
    };
    for (const button of document.querySelectorAll("[data-act]")) {
      const { act } = button.dataset;
      button.hidden = act !== "compare" && !data.can[act];
      button.disabled = isBusy || !fits[act];
    }
  }

  function pick(row, on) {
    everyOne = false;
    if (on) picked.add(row.dataset.run);
    else picked.delete(row.dataset.run);
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".pick input");
    if (!box) return;
    const here = rows();
    if (box.id === "all") {
      for (const row of here) pick(row, box.checked);
    } else {
      const at = here.findIndex((row) => boxOf(row) === box);
      const from = event.shiftKey ? here.findIndex((row) => row.dataset.run === last) : -1;
      const [first, end] = from < 0 ? [at, at] : [Math.min(at, from), Math.max(at, from)];
      for (const row of here.slice(first, end + 1)) pick(row, box.checked);
      last = here[at].dataset.run;
    }
    draw();
  });
  byId("select-all").addEventListener("click", () => { everyOne = true; draw(); });
  byId("select-none").addEventListener("click", () => { clear(); byId("list").focus(); });
  byId("acts").addEventListener("click", ({ target }) => {
    const act = target.closest("[data-act]")?.dataset.act;
    if (act === "compare") {
      const [b, a] = rows().filter((row) => boxOf(row).checked).map((row) => row.dataset.run); // the older one first
      location.assign(`/runs/compare?a=${a}&b=${b}`);
    } else if (act) {
      void perform(act);
    }
  });

  function clear() {
    picked.clear();
    everyOne = false;
    draw();
  }

  async function perform(act) {
    const ids = rows().filter((row) => boxOf(row).checked).map((row) => row.dataset.run);
    const what = everyOne ? "every run that fits" : runs(ids.length);
    if (!(await isSure(VERBS[act], what))) return;
    isBusy = true;
    draw();
    try {
      const came = everyOne ? await performAll(act) : await send({ action: act, ids });
      tell(VERBS[act], came);
      clear();
    } catch (error) {
      say([`It could not be done: ${error.message}`], true);
    } finally {
      isBusy = false;
      draw();
    }
    await refresh();
  }

  /** The API takes a hundred at a time; it goes on for as long as something comes of it. */
  async function performAll(act) {
    const whole = { succeeded: 0, failed: 0, errors: [] };
    for (;;) {
      const came = await send({ action: act, filter: data.filter });
      whole.succeeded += came.succeeded;
      whole.failed = came.failed; // those that refused are among the next hundred again
      whole.errors = came.errors;
      if (!came.remaining || !came.succeeded) return whole;
      say([`${runs(whole.succeeded)} ${VERBS[act].done}, ${came.remaining} to go …`]);
    }
  }

  async function send(body) {
    const headers = {
      "Content-Type": "application/json",
      "X-CSRFToken": data.csrf,
      "X-Workspace-Id": data.workspace_id,
      "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
    };
    const answer = await fetch("/api/v1/executions/bulk", { method: "POST", headers, body: JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error.message);
    return told.data;
  }

  function tell({ done }, { succeeded, failed, errors }) {
    const lines = errors.slice(0, SHOWN_ERRORS).map(({ id, message }) => `…${id.slice(-8)}: ${message}`);
    if (failed > SHOWN_ERRORS) lines.push(`and ${failed - SHOWN_ERRORS} more`);
    say([`${runs(succeeded)} ${done}${failed ? `, ${failed} not` : ""}.`, ...lines], failed > 0);
  }

  function say([first, ...lines], isBad = false) {
    const told = byId("told");
    const list = document.createElement("ul");
    list.append(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
    told.replaceChildren(first, ...(lines.length ? [list] : []));
    told.toggleAttribute("data-bad", isBad);
    told.hidden = false;
  }

  draw();
  return { draw, isPicking: () => everyOne || picked.size > 0 };
}

/** @returns {Promise<boolean>} what somebody answers who is asked again before many runs are changed */
function isSure({ title, text }, what) {
  const dialog = byId("sure");
  byId("sure-title").textContent = `${title} ${what}?`;
  byId("sure-text").textContent = text;
  byId("sure-yes").textContent = title;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
