// What is stuck: the evidence, whom to call, whom it holds up, and the answers
// that are open.

import { h, fill, since, task } from "./dom.js";
import { appHref, cellHref, cellLinks, link, planHref } from "./links.js";
import { count, percent, sentence } from "./text.js";
import { answers } from "./verbs.js";

// How many cards are listed before the rest is asked for. The first is shown in
// full, the others by their first line, so that the cells stay in sight.
const listed = 5;
// How many alike are one card.
const together = 3;
let all = false;

const kinds = {
  "handler-hung": "handler hung", "handler-overdue": "handler overdue", "handler-failed": "handler failed",
  "drain-impossible": "drain impossible", "waiting-for-budget": "waiting for budget", "policy-forbids": "policy forbids",
  "cell-not-returned": "cell not returned", "instance-not-settled": "instance not settled", "action-failed": "host action failed",
  "cell-gone": "cell gone", director: "BOSH does not go on", "cell-not-stopped": "nobody acts on the cell", "no-room": "no room",
};

const kindWords = (kind) => kinds[kind] || kind.replaceAll("-", " ");

// drawStuck shows alerts in the section on top; context says whether answers
// can be given now.
export function drawStuck(alerts, context) {
  const section = document.getElementById("stuck");
  section.hidden = alerts.length === 0;
  if (!alerts.length) return fill(section);
  const cards = alike(alerts);
  const shown = all ? cards : cards.slice(0, listed);
  fill(section,
    h("div", { class: "section-head" }, h("h2", { id: "stuck-title" }, h("span", { class: "alarm", "aria-hidden": "true" }, "!"), ` ${alerts.length} stuck`),
      h("p", { class: "note" }, "The worst is first, then the oldest. ", goesOn(alerts))),
    h("div", { class: "alerts" }, shown.map((group, i) => (group.length > 1 ? stack(group, i === 0) : card(group[0], i === 0, context)))),
    cards.length > listed && h("button", { type: "button", class: "plain more-stuck", "aria-expanded": String(all), onclick: () => { all = !all; drawStuck(alerts, context); } },
      all ? "Show fewer" : `Show ${cards.length - listed} more`));
}

// alike puts together alerts that say the same of many cells: one policy may
// forbid a whole plan, which must not bury a handler that hangs.
function alike(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const key = alert.cell_id && !alert.answer ? [alert.kind, alert.plan, alert.app_guid, Boolean(alert.recovered_at)].join("/") : alert.id;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(alert);
  }
  return [...groups.values()].flatMap((group) => (group.length < together ? group.map((alert) => [alert]) : [group]));
}

// goesOn says what is not held up.
function goesOn(alerts) {
  const held = new Set(alerts.flatMap((alert) => [...(alert.blocks || []), ...(alert.cell_id ? [alert.cell_id] : [])]));
  const others = new Set(alerts.flatMap((alert) => (alert.blocks || []).filter((id) => id !== alert.cell_id)));
  return others.size ? `${count(held.size, "cell")} are held up, every other goes on.` : "Every other cell goes on.";
}

// stack is one card for many alerts that are alike.
function stack(group, open) {
  const first = group[0];
  const cells = group.map((alert) => alert.cell_id);
  const app = first.app && `${first.app.org}/${first.app.space}/${first.app.name}`;
  return h("details", { class: "alert", "data-key": `alike/${first.kind}/${first.plan}/${app}`, "data-kind": first.kind, "data-severity": first.severity, open },
    summary(first, `${count(cells.length, "cell")} alike. The first: ${sentence(first.what)}`, h("b", {}, ` × ${cells.length.toLocaleString()}`)),
    h("div", { class: "alert-body" },
      h("div", { class: "evidence" }, h("dl", { class: "facts" }, [
        app && fact("App", link(appHref(app), app)), first.plan && fact("Plan", link(planHref(first.plan), first.plan)),
        fact("Call", h("strong", {}, first.owner || "cloud ops")), fact("Cells", cellLinks(cells, 40))])),
      h("div", { class: "remedy" }, first.advice && h("p", { class: "advice" }, first.advice), h("p", { class: "dim" }, "Each is answered on the page of its cell."), runbook(first))));
}

// summary is the first line of a card.
const summary = (alert, what, more) => h("summary", {}, h("span", { class: "alert-severity" }, alert.severity), h("span", { class: "alert-kind" }, kindWords(alert.kind), more), h("span", { class: "alert-what" }, what),
  h("span", { class: "alert-owner" }, alert.owner || "cloud ops"), h("span", { class: "alert-since" }, alert.recovered_at ? ["moves again, ", since(alert.recovered_at)] : ["still for ", since(alert.since)]));

function card(alert, open, context) {
  return h("details", { class: alert.recovered_at ? "alert recovered" : "alert", "data-key": alert.id, "data-kind": alert.kind, "data-severity": alert.severity, open },
    summary(alert, sentence(alert.what)),
    h("div", { class: "alert-body" },
      h("div", { class: "evidence" }, h("dl", { class: "facts" }, facts(alert)), evidence(alert)),
      h("div", { class: "remedy" }, alert.advice && h("p", { class: "advice" }, alert.advice), answers(alert, context), runbook(alert))));
}

// runbook leads to the page about this kind of alert.
const runbook = (alert) => h("p", {}, h("a", { href: `/console/runbooks/${alert.kind}`, target: "_blank", rel: "noopener" }, `Runbook: ${kindWords(alert.kind)}`));

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));

function facts(alert) {
  const app = alert.app && `${alert.app.org}/${alert.app.space}/${alert.app.name}`;
  const others = (alert.blocks || []).filter((id) => id !== alert.cell_id);
  return [
    app && fact("Instance", link(appHref(app), app), `/${alert.index}`),
    alert.cell_id && fact("Cell", link(cellHref(alert.cell_id), alert.cell_id), alert.az && ` in ${alert.az}`),
    alert.plan && fact("Plan", link(planHref(alert.plan), alert.plan), alert.phase && `, while ${alert.phase}`),
    alert.step && fact("Step", alert.step),
    fact("Call", h("strong", {}, alert.owner || "cloud ops")),
    fact("Flagged", since(alert.flagged_at), " ago", alert.flaps > 0 && `, came back ${count(alert.flaps, "time")}`),
    fact("Holds up", others.length ? cellLinks(others) : "no other cell"),
    alert.data?.length > 0 && fact("Data at risk", count(alert.data.length, "volume"), ": ", alert.data.slice(0, 4).join(", "), alert.data.length > 4 && ", …"),
  ];
}

function evidence(alert) {
  const handler = alert.kind.startsWith("handler-");
  const known = (alert.progress > 0 || alert.message) && alert.progress !== -1;
  return [
    handler && h("div", { class: "progress" },
      h("span", { class: "label" }, "Last progress"),
      known && h("span", { class: "bar", role: "img", "aria-label": percent(alert.progress || 0) }, h("span", { style: { width: `${100 * (alert.progress || 0)}%` } })),
      h("span", {}, known ? percent(alert.progress || 0) : "none reported", alert.message && `: ${alert.message}`)),
    alert.error && h("p", { class: "error" }, sentence(alert.error)),
    alert.task && h("p", { class: "dim" }, task(alert.task)),
    alert.output?.length > 0 && h("pre", { class: "output", tabindex: "0", role: "region", "aria-label": "Last lines of output" }, h("code", {}, alert.output.join("\n"))),
    handler && !alert.output?.length && h("p", { class: "dim" }, "It has written nothing else."),
  ];
}
