// The addresses of pages, and links to them.

import { h } from "./dom.js";

export const appHref = (name) => `#/app/${name}`;
export const cellHref = (id) => `#/cell/${id}`;
export const planHref = (name) => `#/plan/${encodeURIComponent(name)}`;
// eventsHref gives the events that fit a filter, such as {kind: "stuck"}.
export const eventsHref = (filter) => `#/events?${new URLSearchParams(filter)}`;

export const link = (href, text) => h("a", { href }, text);

// cellLinks names cells, at most so many of them.
export const cellLinks = (ids, most = 8) => [
  ids.slice(0, most).map((id, i) => [i ? ", " : "", link(cellHref(id), id)]),
  ids.length > most && ` and ${ids.length - most} more`,
];
