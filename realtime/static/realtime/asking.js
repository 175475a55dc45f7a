// The form of an open waitpoint, and how far a vote is.

import { wish } from "./api.js";
import { byField, fieldsOf } from "./fields.js";
import { makeForm } from "./form.js";

const LOOK_AGAIN = 10_000; // milliseconds; of a vote, no event tells

/**
 * What is shown below a wait: its form, where whoever looks may answer; otherwise who may.
 * @param {string} run its id
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Access["can"]} can
 * @returns {(wait: import("./state.js").Wait) => HTMLElement[]}
 */
export function asker(run, api, can) {
  return (wait) => {
    const votes = wait.votes && !can.ticket && can.read ? [tally(wait, api)] : [];
    if (wait.kind !== "human" && wait.kind !== "token") return votes;
    if (!can.resume || (wait.kind === "token" && can.ticket)) {
      return [...votes, line("refused", can.ticket ? "This link may not answer: log in." : "Your role may not answer.")];
    }
    return [...votes, answerForm(wait, run, api, votes[0])];
  };
}

function answerForm(wait, run, api, votes) {
  const fields = fieldsOf(wait);
  let sent = { text: null, key: null }; // the same answer, sent again after the network was gone, is the same wish
  const form = makeForm(fields, {
    submit: wait.votes ? "Vote" : wait.kind === "token" ? "Complete it" : "Answer",
    async onSubmit(value) {
      const text = JSON.stringify(value);
      if (sent.text !== text) sent = { text, key: wish() };
      try {
        const told = wait.kind === "token"
          ? await api.post(`/waitpoints/${wait.id}/complete`, { input: value }, sent.key)
          : (await api.post(`/executions/${run}/resume`, { waitpoint_id: wait.id, input: value }, sent.key)).waitpoint;
        const done = line("answered", told.status === "open" ? "Your vote is counted." : "Answered. The run goes on.");
        done.setAttribute("role", "status");
        done.tabIndex = -1;
        form.replaceWith(done);
        done.focus({ preventScroll: true });
        votes?.dispatchEvent(new Event("look"));
        return null;
      } catch (error) {
        sent = error.status === 0 ? sent : { text: null, key: null };
        if (error.code !== "invalid_answer") return { "": error.message };
        return byField(fields, error.details.errors ?? [error.message]);
      }
    },
  });
  form.setAttribute("aria-label", wait.prompt ?? "Answer");
  return form;
}

/** How many have voted so far; looked up again for as long as it is in the page. */
function tally(wait, api) {
  const place = document.createElement("div");
  place.className = "votes";
  const track = document.createElement("div");
  track.className = "track";
  track.setAttribute("aria-hidden", "true");
  const words = line("", "");
  place.append(track, words);
  const look = async () => {
    const votes = await api.get(`/waitpoints/${wait.id}`).then((told) => told.votes, () => null);
    if (votes) show(votes);
  };
  function show({ yes, no }) {
    const { needed, voters } = wait.votes;
    track.replaceChildren(...Array.from({ length: Math.min(voters, 40) }, (_, at) => {
      const vote = document.createElement("i");
      vote.className = at < yes ? "yes" : at < yes + no ? "no" : "";
      return vote;
    }));
    words.textContent = `${yes} yes, ${no} no; ${voters - yes - no} of ${voters} have not voted. ${needed} have to say yes.`;
  }
  show({ yes: 0, no: 0 });
  words.textContent = "";
  place.addEventListener("look", look);
  look();
  const looking = setInterval(() => {
    if (!place.isConnected) clearInterval(looking);
    else if (!place.closest("[hidden]")) look();
  }, LOOK_AGAIN);
  return place;
}

function line(name, words) {
  const element = document.createElement("p");
  element.className = name;
  element.textContent = words;
  return element;
}
