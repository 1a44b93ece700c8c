// The list of apps: those that do not serve fully first.

import { h, fill } from "./dom.js";
import { count } from "./text.js";
import { appHref } from "./links.js";

// How many apps are listed before the list ends with a hint.
const most = 60;

export function drawApps(store) {
  if (!store.told) return;
  const all = [...store.apps.values()].sort((a, b) => trouble(b) - trouble(a) || a.name.localeCompare(b.name));
  const shown = all.slice(0, most);
  const whole = all.filter((app) => !trouble(app)).length + store.appCount - all.length;
  fill(document.getElementById("apps"),
    h("div", { class: "section-head" }, h("h2", { id: "apps-title" }, "Apps"),
      h("p", { class: "note" }, store.appCount === 0 ? "None has been pushed yet." : `${whole.toLocaleString()} of ${count(store.appCount, "app")} serve fully.`,
        shown.length < store.appCount ? ` ${shown.length} are listed; go to any other by its name, org/space/name.` : "")),
    shown.length > 0 && h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["App", "Instances", "Serving", "Disrupted", "Down", "May be away at once", "Owner"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, shown.map((app) => h("tr", { "data-key": app.name, class: trouble(app) ? "trouble" : "" },
        h("th", { scope: "row" }, h("a", { href: appHref(app.name) }, app.name), app.deleting && h("span", { class: "tag" }, "being deleted")),
        h("td", {}, standing(app)), h("td", { class: "n" }, app.serving), h("td", { class: "n" }, app.disrupted || ""), h("td", { class: "n bad" }, app.down || ""),
        h("td", {}, limits(app.limits)), h("td", {}, app.owner)))))));
}

const trouble = (app) => (app.down > 0 ? 2 : app.serving < app.instances ? 1 : 0);

// limits says in words what a policy allows.
export const limits = (l) => `${l.max_interrupted} interrupted, ${l.max_draining} draining, ${l.max_disrupted} together`;

// standing draws an app's instances as a row of dots, up to a few dozen.
export function standing(app) {
  const total = app.serving + app.disrupted + app.down;
  const scale = total > 40 ? 40 / total : 1;
  const dots = ["serving", "disrupted", "down"].flatMap((name) => Array.from({ length: Math.ceil(app[name] * scale) }, () => h("span", { class: "mark-dot", "data-standing": name, "data-volume": "none" })));
  return h("span", { class: "row-dots", role: "img", "aria-label": `${app.serving} serving, ${app.disrupted} disrupted, ${app.down} down` }, dots, scale < 1 && ` ${total}`);
}
