// Why a cell or a plan does not move: the chain of causes down to the one
// thing to see about.

import { h, since, task } from "./dom.js";
import { link, appHref, cellHref, planHref } from "./links.js";
import { sentence } from "./text.js";

// why draws an explanation of the API; null when there is none. What else is
// stuck is found in the store.
export function why(said, store) {
  if (!said?.chain?.length) return null;
  const last = said.chain.length - 1;
  return h("section", { class: "why", "data-moving": String(Boolean(said.moving)) },
    h("h2", {}, "Why it is where it is ", h("span", { class: "tag", "data-status": said.moving ? "done" : "aborted" }, said.moving ? "goes on by itself" : "needs somebody")),
    h("ol", { class: "chain", "aria-label": "Causes, each of the one before it" }, said.chain.map((one, i) => h("li", { class: i === last ? "cause" : "" },
      h("span", { class: "chain-kind" }, one.kind), h("span", { class: "chain-text" }, sentence(one.text),
        one.since && h("span", { class: "dim" }, " (for ", since(one.since), ")"),
        one.task && h("span", { class: "dim" }, " ", task(one.task)),
        one.owner && i === last && h("span", { class: "chain-owner" }, "Call ", h("strong", {}, one.owner))), pageOf(one)))),
    said.also?.length > 0 && h("p", { class: "note" }, "Also stuck: ", said.also.map((id, i) => [i ? ", " : "", alsoStuck(store.stuck.get(id), id)])));
}

// alsoStuck names something stuck by what it is about, and leads there.
const alsoStuck = (alert, id) => (alert?.cell_id ? link(cellHref(alert.cell_id), `${alert.cell_id} (${alert.kind.replaceAll("-", " ")})`) : id);

const appOf = (name) => appHref(name.split("/").slice(0, 3).join("/"));
const pages = { cell: cellHref, roll: cellHref, plan: planHref, policy: appOf, instance: appOf, handler: appOf };

// pageOf links a cause to the page of what it is about, unless that is this one.
function pageOf(one) {
  const href = one.name && pages[one.kind]?.(one.name);
  return href && href !== location.hash && link(href, "open");
}
