// One app: its policy in numbers, its instances, what happened to it.

import { h } from "./dom.js";
import { cellHref } from "./links.js";
import { heading, facts, table, condition, disruption, events } from "./parts.js";
import { limits, standing } from "./apps.js";

export const appPage = {
  about: (name, alert) => Boolean(alert.app) && `${alert.app.org}/${alert.app.space}/${alert.app.name}` === name,

  async load(name, get) {
    const path = name.split("/").map(encodeURIComponent).join("/");
    const [app, happened] = await Promise.all([get(`/v1/apps/${path}`), get(`/v1/events?limit=40&app=${encodeURIComponent(name)}`)]);
    return { app, happened };
  },

  head: (name, { app }) => heading("app", name, standing(app), app.deleting && h("span", { class: "tag" }, "being deleted")),

  draw(name, { app, happened }, store) {
    const policy = app.lifecycle;
    const members = app.members || [];
    const kindOf = new Map();
    for (const cell of store.cells.values()) {
      for (const one of cell.instances || []) if (one.app === name) kindOf.set(`${cell.id}/${one.index}`, one.volume);
    }
    const handler = (one) => (one ? `${one.command || `POST ${one.http}`}, within ${one.timeout}, progress every ${one.progress_timeout}` : "none");
    return [
      facts(["Call", h("strong", {}, app.owner || `developers of ${app.org}/${app.space}`)], ["Instances", `${app.serving} of ${app.instances} serve`],
        ["May be away at once", limits(app.limits)], ["Interrupt", handler(policy.interrupt)],
        ["Drain", policy.data_disposable ? "its data is disposable" : handler(policy.drain)],
        ["Healthy for", policy.healthy_for], ["Back within", policy.return_within],
        ["When stuck", [policy.on_stuck?.answer || "hold", policy.on_stuck?.after ? ` after ${policy.on_stuck.after}` : ""].join("")],
        ["Version", app.spec_version]),
      app.warnings?.length > 0 && h("ul", { class: "warnings" }, app.warnings.map((text) => h("li", {}, text))),
      h("section", {}, h("h2", {}, "Instances"), table(["Index", "Condition", "Cell", "AZ", "Disruption", "Restarts", "Version"],
        members.map((one) => h("tr", { "data-key": one.index }, h("th", { scope: "row" }, one.index), h("td", {}, condition(one, kindOf.get(`${one.cell_id}/${one.index}`))),
          h("td", {}, one.cell_id && h("a", { href: cellHref(one.cell_id) }, one.cell_id)), h("td", {}, one.az),
          h("td", {}, disruption(one.permit, one.actual)), h("td", { class: "n" }, one.actual?.restarts || ""), h("td", { class: "n" }, one.spec_version))))),
      h("section", {}, h("h2", {}, "What happened"), events(happened)),
    ];
  },
};
