// Why a cell or a plan does not move: the chain of causes down to the one
// thing to see about.

import { h, since, task } from "./dom.js";
import { link, cellHref, planHref } from "./links.js";

// why draws an explanation of the API; null when there is none.
export function why(said, title = "Why it is where it is") {
  if (!said?.chain?.length) return null;
  const last = said.chain.length - 1;
  return h("section", { class: "why", "data-moving": String(Boolean(said.moving)) },
    h("h2", {}, title, " ", h("span", { class: "tag", "data-status": said.moving ? "done" : "aborted" }, said.moving ? "goes on by itself" : "needs somebody")),
    h("ol", { class: "chain", "aria-label": "Causes, each of the one before it" }, said.chain.map((one, i) => h("li", { class: i === last ? "cause" : "" },
      h("span", { class: "chain-kind" }, one.kind), h("span", { class: "chain-text" }, one.text,
        one.since && h("span", { class: "dim" }, " (for ", since(one.since), ")"),
        one.task && h("span", { class: "dim" }, " ", task(one.task)),
        one.owner && i === last && h("span", { class: "chain-owner" }, "Call ", h("strong", {}, one.owner))), pageOf(one)))),
    said.also?.length > 0 && h("p", { class: "note" }, `Also stuck: ${said.also.join(", ")}`));
}

// pageOf links a cause to its page, where it has one of its own.
function pageOf(one) {
  const href = { cell: cellHref, plan: planHref }[one.kind];
  return href && one.name && link(href(one.name), "open");
}
