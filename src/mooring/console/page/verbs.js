// The answers to something stuck: what each would do, and the question that
// is asked before it is sent.

import { h } from "./dom.js";
import { ask } from "./dialog.js";
import { clock } from "./text.js";
import { mayAnswer, refusal } from "./who.js";

const verbWords = { wait: "Wait longer", retry: "Retry", force: "Force", skip: "Skip cell", lost: "Cell is lost" };

// destructive answers are not the first thing to try, and look so.
const destructive = (verb) => verb === "force" || verb === "lost";

// effectOf says what an answer would do, in the server's words.
const effectOf = (alert, verb) => alert.effects?.[verb] || "";

// givenUp names the data that an answer would lose.
const givenUp = (alert, verb) => (destructive(verb) ? alert.data || [] : []);

// answers offers what can be decided about an alert, each with what it would
// do. Who may not decide, or is not connected, is told so and why.
export function answers(alert, { mayAct, connected }) {
  const given = alert.answer;
  if (given) {
    return h("p", { class: "answered", role: "status" }, "Answered with ", h("strong", {}, given.verb), ` by ${given.by || "somebody"} at ${clock(given.at)}: ${given.reason}. It is being carried out.`);
  }
  if (!alert.answers?.length) return h("p", { class: "dim" }, "There is nothing to decide here. It closes by itself when the thing moves again.");
  const may = (verb) => mayAct || mayAnswer(alert, verb);
  const none = !alert.answers.some(may);
  return h("div", { class: "answers", role: "group", "aria-label": `Answers to: ${alert.what}` },
    h("h3", {}, none ? "What can be done" : "What you can do"),
    none ? h("p", { class: "refusal" }, refusal()) : !connected && h("p", { class: "refusal" }, "Not connected: what you see may be over."),
    h("ul", {}, alert.answers.map((verb) => choice(alert, verb, may(verb), connected))),
    alert.forced_at && h("p", { class: "dim" }, `If nobody does, the app's own policy forces it at ${clock(alert.forced_at)}.`));
}

// choice is one answer with what it would do; who may not give it is offered
// no button.
function choice(alert, verb, may, connected) {
  const id = `effect-${alert.id}-${verb}`;
  return h("li", { "data-key": verb },
    may ? h("button", { type: "button", class: destructive(verb) ? "danger" : "", "data-verb": verb, disabled: !connected, "aria-describedby": id,
      onclick: () => ask(question(alert, verb)) }, verbWords[verb] + (destructive(verb) ? "…" : "")) : h("b", {}, verbWords[verb]),
    h("span", { class: givenUp(alert, verb).length ? "effect bad" : "effect", id }, effectOf(alert, verb)));
}

function question(alert, verb) {
  return {
    title: `${verbWords[verb]}: ${alert.app ? `${alert.app.name}/${alert.index}` : alert.cell_id || alert.plan}`,
    effect: effectOf(alert, verb), danger: destructive(verb), action: verbWords[verb],
    longer: verb === "wait", names: givenUp(alert, verb),
    method: "PUT", url: `/v1/stuck/${encodeURIComponent(alert.id)}/answer`,
    body: ({ reason, by, longer, names }) => ({ verb, reason, by, ...(longer && { for: longer }), ...(names.length && { confirm: names }) }),
  };
}
