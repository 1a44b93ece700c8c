// Parts that several pages have.

import { h, since } from "./dom.js";
import { phases } from "./phases.js";
import { link, appHref, cellHref, planHref } from "./links.js";
import { clock } from "./text.js";
import { mark } from "./fleet.js";

export const heading = (kind, title, ...rest) => [
  h("nav", { class: "trail", "aria-label": "Where this page is" }, h("a", { href: "#/" }, "Board"), ` / ${kind}`),
  h("div", { class: "page-head" }, h("h1", {}, title), ...rest),
];

export const badge = (look) => h("span", { class: "badge", "data-look": look }, phases[look].sign && h("span", { "aria-hidden": "true" }, phases[look].sign), ` ${phases[look].label}`);

export const facts = (...pairs) => h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value))));

export const table = (columns, rows) => h("div", { class: "scroll" }, h("table", {},
  h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)));

// disruption says how far an instance's permit has come, with what its handler
// reported.
export function disruption(permit, actual) {
  if (!permit) return null;
  const said = actual?.disruption?.permit_id === permit.id ? actual.disruption : null;
  const state = said && ["hung", "overdue", "failed", "cancelled"].includes(said.state) ? said.state : permit.step;
  return [h("span", { class: state === permit.step ? "" : "bad" }, `${permit.kind}: ${state}`),
    said?.progress >= 0 && permit.step === "running" && ` ${Math.round(100 * said.progress)} %`, said?.message && h("span", { class: "dim" }, ` ${said.message}`)];
}

// condition is an instance's standing with its sign.
export const condition = (instance, volume) => [mark(instance.standing, volume), ` ${instance.standing}`,
  instance.state && instance.state !== instance.standing && h("span", { class: "dim" }, ` (${instance.state})`),
  instance.unplaced && h("span", { class: "bad" }, ` ${instance.unplaced}`),
  instance.actual?.error && h("span", { class: "bad" }, ` ${instance.actual.error}`)];

// Parts of the platform, which act on what somebody else decided.
const parts = new Set(["orchestrator", "scheduler", "cell"]);
const decided = (event) => Boolean(event.reason) && !parts.has(event.actor);

// events lists what happened, the newest first. subjects adds links to what
// each is about. What a person decided, with a reason, stands out.
export function events(list, subjects = false) {
  if (!list?.length) return h("p", { class: "note" }, "Nothing is kept about it.");
  return h("ol", { class: `events ${subjects ? "with-subjects" : ""}`, tabindex: "0", "aria-label": "What happened, the newest first" }, [...list].reverse().map((event) => h("li", { "data-key": event.id, class: decided(event) ? "decided" : "" },
    h("time", { datetime: event.at, title: new Date(event.at).toLocaleString() }, clock(event.at)),
    h("span", { class: "event-kind" }, event.kind), h("span", { class: "event-text" }, event.text, event.reason && h("q", { class: "event-reason" }, event.reason)),
    subjects && h("span", { class: "event-subjects" }, subjectsOf(event)),
    h("span", { class: "event-actor" }, event.actor))));
}

const subjectsOf = (event) => [
  event.cell_id && link(cellHref(event.cell_id), event.cell_id), event.plan && [" ", link(planHref(event.plan), event.plan)], event.app && [" ", link(appHref(event.app), event.app)]];
