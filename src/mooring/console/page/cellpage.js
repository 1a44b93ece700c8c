// One cell: its way through the plan, what is on it, what happened to it.

import { h, since } from "./dom.js";
import { lookOf } from "./phases.js";
import { appHref, planHref } from "./links.js";
import { heading, badge, facts, table, condition, disruption, events } from "./parts.js";
import { steps } from "./timeline.js";
import { why } from "./why.js";

export const cellPage = {
  about: (id, alert) => alert.cell_id === id || alert.blocks?.includes(id),

  async load(id, get, store) {
    const shown = store.cells.get(id);
    const [cell, happened, reason, plan] = await Promise.all([
      get(`/v1/cells/${encodeURIComponent(id)}`), get(`/v1/events?limit=40&cell=${encodeURIComponent(id)}`), get(`/v1/why/cells/${encodeURIComponent(id)}`),
      shown?.plan ? get(`/v1/plans/${encodeURIComponent(shown.plan)}`) : null]);
    return { cell, happened, reason, plan };
  },

  head(id, { cell }, store, { now }) {
    const shown = store.cells.get(id);
    return heading("cell", cell.id, badge(shown ? lookOf(shown, store.plans, now) : "lost"));
  },

  draw(id, { cell, happened, reason, plan }, store, { now }) {
    const roll = plan?.rolls.find((one) => one.cell_id === id);
    const kinds = new Map((cell.volumes || []).map((volume) => [volume.guid, volume.floating ? "floating" : "fixed"]));
    return [
      facts(["AZ", cell.az], ["Update domain", cell.domain || "none yet"], ["Pool", cell.pool || "default"],
        ["Agent", cell.lost ? "declared lost" : cell.present ? "answers" : "does not answer"], ["Address", cell.address],
        ["Memory", `${cell.memory_reserved} of ${cell.memory} promised`],
        cell.cordon && ["Cordoned", since(cell.cordon.since), ` by ${cell.cordon.holder}`],
        ...(cell.disk || []).map((one) => [`Disk, ${one.name}`, `${one.reserved} of ${one.capacity} promised`])),
      roll && h("section", {}, h("h2", {}, "In plan ", h("a", { href: planHref(plan.name) }, plan.name)),
        steps(roll, plan, now),
        roll.error && h("p", { class: "error" }, roll.error)),
      (reason.chain.length > 1 || !reason.moving) && why(reason, store),
      h("section", {}, h("h2", {}, "Instances"), cell.instances?.length ? table(["Instance", "Condition", "Disruption", "Restarts", "Volume"],
        cell.instances.map((one) => h("tr", { "data-key": `${one.app}/${one.index}` },
          h("th", { scope: "row" }, h("a", { href: appHref(one.app) }, one.app), `/${one.index}`), h("td", {}, condition(one, kinds.get(one.volumes?.[0]))),
          h("td", {}, disruption(one.permit, one.actual)), h("td", { class: "n" }, one.actual?.restarts || ""),
          h("td", {}, (one.volumes || []).map((guid) => kinds.get(guid) || "elsewhere").join(", "))))) : h("p", { class: "note" }, "None is placed here.")),
      h("section", {}, h("h2", {}, "Volumes"), cell.volumes?.length ? table(["Volume", "Kind", "Class", "Size", "State"],
        cell.volumes.map((one) => h("tr", { "data-key": one.guid }, h("th", { scope: "row" }, `${one.set}/${one.index}`), h("td", {}, one.floating ? "floating" : "fixed"),
          h("td", {}, one.class), h("td", {}, one.size), h("td", {}, one.ending ? "ending" : one.state || one.actual?.state || "")))) : h("p", { class: "note" }, "None is here.")),
      h("section", {}, h("h2", {}, "What happened"), events(happened)),
    ];
  },
};
