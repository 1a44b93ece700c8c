// Everything that was decided and done, narrowed by a filter that is part of
// the page's address.

import { h } from "./dom.js";
import { heading, events } from "./parts.js";
import { eventsHref } from "./links.js";

// How many events are listed.
const most = 250;

// The families of kinds that are offered. Decisions are what somebody outside
// wanted; the rest is what followed from it.
const families = [
  ["", "everything"], ["stuck.answered,plan.started,plan.pausing,plan.resumed,plan.aborting,app.pushed,app.updated,app.scaled,app.deleting,volume-set.created,volume-set.deleting,cell.lost,gate.opened", "decisions"], ["stuck.answered,stuck.refused", "answers"],
  ["stuck", "what was stuck"], ["plan", "plans"], ["roll", "rolls"], ["permit", "permits"], ["handler,instance", "instances and handlers"],
  ["app,volume-set,volume", "apps and volumes"], ["cell,gate", "cells and the gate"]];

const spans = [["", "as long as kept"], ["15", "15 minutes"], ["60", "1 hour"], ["1440", "1 day"], ["10080", "1 week"]];

// fields are the filters that are typed.
const fields = [["actor", "By"], ["cell", "Cell"], ["plan", "Plan"], ["app", "App"]];

export const eventsPage = {
  about: () => false,

  async load(query, get) {
    return { query, list: await get(`/v1/events?${asked(query)}&limit=${most}`) };
  },

  head: () => heading("events", "Events"),

  draw(query, { list }) {
    const filter = new URLSearchParams(query);
    const field = (name, label, input) => h("div", {}, h("label", { for: `filter-${name}` }, label), input);
    const choice = (name, label, options) => field(name, label, h("select", { id: `filter-${name}`, onchange: (event) => narrow({ [name]: event.target.value }) },
      options.map(([value, words]) => h("option", { value, selected: value === (filter.get(name) || "") }, words))));
    return [
      h("form", { class: "filters", "aria-label": "Which events", onsubmit: (event) => { event.preventDefault(); narrow(Object.fromEntries(new FormData(event.target))); } },
        choice("kind", "What", known(filter.get("kind"))), choice("minutes", "Of the last", spans),
        fields.map(([name, label]) => field(name, label, h("input", { id: `filter-${name}`, name, value: filter.get(name) || "", autocomplete: "off", spellcheck: "false" }))),
        h("button", { type: "submit" }, "Show"), h("a", { href: eventsHref({}) }, "Show everything")),
      h("p", { class: "note" }, list.length < most ? `${list.length} in all, the newest first.` : `The newest ${most}.`, " For all of them, or to keep them: ", h("code", {}, `moor events --all --json${asFlags(filter)}`)),
      events(list, true),
    ];
  },
};

// narrow changes some fields of the filter in the address.
function narrow(changes) {
  const next = new URLSearchParams(location.hash.split("?")[1]);
  for (const [name, value] of Object.entries(changes)) value.trim() ? next.set(name, value.trim()) : next.delete(name);
  location.hash = eventsHref(next);
}

// known gives the families, and a kind from the address that is none of them.
const known = (kind) => (!kind || families.some(([value]) => value === kind) ? families : [...families, [kind, kind]]);

// asked turns the page's filter into the API's.
function asked(query) {
  const filter = new URLSearchParams(query);
  const minutes = Number(filter.get("minutes"));
  filter.delete("minutes");
  if (minutes > 0) filter.set("since", new Date(Date.now() - 60000 * minutes).toISOString());
  return filter;
}

// asFlags is the same filter for the command line.
const asFlags = (filter) => [...filter].map(([name, value]) => (name === "minutes" ? ` --since ${value}m` : value.split(",").map((one) => ` --${name} '${one}'`).join(""))).join("");
