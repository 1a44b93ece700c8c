// What is stuck: the evidence, whom to call, and the answers that are open.

import { h, fill, since } from "./dom.js";
import { ask } from "./answer.js";
import { count, percent } from "./text.js";
import { mayAnswer } from "./who.js";

// How many alerts are shown in full before the rest is folded.
const unfolded = 3;

const kinds = {
  "handler-hung": "handler hung", "handler-overdue": "handler overdue", "handler-failed": "handler failed",
  "drain-impossible": "drain impossible", "waiting-for-budget": "waiting for budget", "policy-forbids": "policy forbids",
  "cell-not-returned": "cell not returned", "instance-not-settled": "instance not settled", "action-failed": "host action failed",
  "cell-gone": "cell gone", "cell-not-stopped": "nobody acts on the cell", "no-room": "no room",
};

export const kindWords = (kind) => kinds[kind] || kind;

// appHref and friends give the pages that things link to.
export const appHref = (name) => `#/app/${name}`;
export const cellHref = (id) => `#/cell/${id}`;
export const planHref = (name) => `#/plan/${encodeURIComponent(name)}`;
export const link = (href, text) => h("a", { href }, text);

// drawStuck shows alerts in the section on top; connected says whether answers
// can be sent now.
export function drawStuck(alerts, { mayAct, connected }) {
  const section = document.getElementById("stuck");
  section.hidden = alerts.length === 0;
  if (!alerts.length) return fill(section);
  fill(section,
    h("div", { class: "section-head" }, h("h2", { id: "stuck-title" }, h("span", { class: "alarm", "aria-hidden": "true" }, "!"), ` ${alerts.length} stuck`),
      h("p", { class: "note" }, "Everything else goes on. The oldest is first.")),
    h("div", { class: "alerts" }, alerts.map((alert, i) => card(alert, i < unfolded, mayAct, connected))));
}

function card(alert, open, mayAct, connected) {
  const { what, advice } = alert;
  return h("details", { class: "alert", "data-key": alert.id, "data-kind": alert.kind, open },
    h("summary", {}, h("span", { class: "alert-kind" }, kindWords(alert.kind)), h("span", { class: "alert-what" }, what),
      h("span", { class: "alert-since" }, "stands still for ", since(alert.since))),
    h("div", { class: "alert-body" },
      h("dl", { class: "facts" }, facts(alert)),
      evidence(alert),
      advice && h("p", { class: "advice" }, advice),
      answers(alert, mayAct, connected)));
}

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));

function facts(alert) {
  const app = alert.app && `${alert.app.org}/${alert.app.space}/${alert.app.name}`;
  const blocks = alert.blocks || [];
  return [
    app && fact("Instance", link(appHref(app), app), `/${alert.index}`),
    alert.cell_id && fact("Cell", link(cellHref(alert.cell_id), alert.cell_id), alert.az && ` in ${alert.az}`),
    alert.plan && fact("Plan", link(planHref(alert.plan), alert.plan), alert.phase && `, while ${alert.phase}`),
    fact("Call", h("strong", {}, alert.owner || "cloud operations")),
    fact("Flagged", since(alert.flagged_at), " ago"),
    blocks.length > 0 && fact("Holds up", blocks.slice(0, 8).map((id, i) => [i ? ", " : "", link(cellHref(id), id)]), blocks.length > 8 && ` and ${blocks.length - 8} more`),
    alert.data?.length > 0 && fact("Data at risk", count(alert.data.length, "volume"), ": ", alert.data.slice(0, 4).join(", "), alert.data.length > 4 && ", …"),
  ];
}

function evidence(alert) {
  const handler = alert.kind.startsWith("handler-");
  const known = alert.progress > 0 || alert.message;
  return h("div", { class: "evidence" },
    handler && h("div", { class: "progress" },
      h("span", { class: "label" }, "Last progress"),
      known && alert.progress >= 0 && h("span", { class: "bar", role: "img", "aria-label": percent(alert.progress || 0) }, h("span", { style: { width: `${100 * (alert.progress || 0)}%` } })),
      h("span", {}, known && alert.progress >= 0 ? percent(alert.progress || 0) : "none reported", alert.message && `: ${alert.message}`)),
    alert.error && h("p", { class: "error" }, alert.error),
    alert.output?.length > 0 && h("pre", { class: "output", tabindex: "0", "aria-label": "Last lines of output" }, alert.output.join("\n")),
    handler && !alert.output?.length && h("p", { class: "dim" }, "It has written nothing else."));
}

function answers(alert, mayAct, connected) {
  const given = alert.answer;
  if (given) {
    return h("p", { class: "answered", role: "status" }, `Answered with ${given.verb} by ${given.by || "somebody"}: ${given.reason}. It is being carried out.`);
  }
  if (!alert.answers?.length) return h("p", { class: "dim" }, "It closes by itself when the thing moves again.");
  const open = alert.answers.filter((verb) => mayAct || mayAnswer(alert, verb));
  if (!open.length) return h("p", { class: "dim" }, `Open answers: ${alert.answers.join(", ")}. You may look, not answer.`);
  return h("div", { class: "answers", role: "group", "aria-label": `Answers to: ${alert.what}` },
    open.map((verb) => h("button", {
      type: "button", class: verb === "force" || verb === "lost" ? "danger" : "", "data-verb": verb, disabled: !connected,
      title: effect(alert, verb), onclick: () => ask(question(alert, verb)),
    }, verbWords[verb] + (verb === "force" || verb === "lost" ? "…" : ""))),
    !connected && h("span", { class: "dim" }, "Not connected: what you see may be over."));
}

const verbWords = { wait: "Wait longer", retry: "Retry", force: "Force", skip: "Skip cell", lost: "Cell is lost" };

// effect says what an answer would do.
export function effect(alert, verb) {
  const cell = alert.cell_id || "the cell";
  const what = alert.app ? `${alert.app.org}/${alert.app.space}/${alert.app.name}/${alert.index}` : cell;
  const handler = alert.kind.startsWith("handler-");
  const data = alert.data?.length > 0;
  switch (verb) {
    case "wait": return handler ? `Runs the handler of ${what} again and allows it longer.` : "Waits longer before it counts as stuck again.";
    case "retry": return handler ? `Runs the handler of ${what} again from the beginning.` : `Tries again from the beginning.`;
    case "force": return data ? `Stops ${what} without its handler. The data named below is given up for good.` : `Stops ${what} without its handler. Its data stays.`;
    case "skip": return `Leaves ${cell} out of the plan. What can be undone is, and its instances go on.`;
    case "lost": return `Declares ${cell} gone for good. Its instances are placed elsewhere${data ? ", and the data named below is given up" : ""}.`;
  }
  return "";
}

function question(alert, verb) {
  return {
    title: `${verbWords[verb]}: ${alert.app ? `${alert.app.name}/${alert.index}` : alert.cell_id || alert.plan}`,
    effect: effect(alert, verb), danger: verb === "force" || verb === "lost", action: verbWords[verb],
    longer: verb === "wait", names: verb === "force" || verb === "lost" ? alert.data || [] : [],
    method: "PUT", url: `/v1/stuck/${encodeURIComponent(alert.id)}/answer`,
    body: ({ reason, by, longer, names }) => ({ verb, reason, by, ...(longer && { for: longer }), ...(names.length && { confirm: names }) }),
  };
}
