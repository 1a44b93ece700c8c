// Parts that several pages have.

import { h, since } from "./dom.js";
import { phases } from "./phases.js";
import { clock } from "./text.js";
import { appHref, cellHref, planHref } from "./stuck.js";
import { mark } from "./fleet.js";

export const heading = (kind, title, ...rest) => [
  h("p", { class: "trail" }, h("a", { href: "#/" }, "Board"), ` / ${kind}`),
  h("div", { class: "page-head" }, h("h2", {}, title), ...rest),
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

// events lists what happened, the newest first.
export function events(list) {
  if (!list?.length) return h("p", { class: "note" }, "Nothing is kept about it.");
  return h("ol", { class: "events", tabindex: "0", "aria-label": "What happened, the newest first" }, [...list].reverse().map((event) => h("li", { "data-key": event.id },
    h("time", { datetime: event.at, title: new Date(event.at).toLocaleString() }, clock(event.at)),
    h("span", { class: "event-kind" }, event.kind), h("span", {}, event.text, event.reason && h("span", { class: "dim" }, ` “${event.reason}”`)),
    h("span", { class: "dim" }, event.actor))));
}

export { since, clock, appHref, cellHref, planHref };
