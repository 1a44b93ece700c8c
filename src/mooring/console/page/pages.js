// The pages of one cell, one app, one plan, and of events. Their details come from the API
// and are asked for again when the state has changed, never two at a time.

import { h, fill } from "./dom.js";
import { cellPage } from "./cellpage.js";
import { appPage } from "./apppage.js";
import { planPage } from "./planpage.js";
import { eventsPage } from "./eventspage.js";

// A page says which alerts are about it, loads its content, and draws its head
// (above the alerts) and its body (below) from that.
const pages = { cell: cellPage, app: appPage, plan: planPage, events: eventsPage };

// The least time between two looks, in ms; a slow answer makes it longer.
const pace = 500;

export class Page {
  constructor(store, context) {
    Object.assign(this, { store, context });
    this.head = document.getElementById("page-head");
    this.node = document.getElementById("page");
  }

  // show opens the page of a route, or none.
  show(kind, name) {
    const page = pages[kind];
    // The events only change their filter, which keeps the focus.
    const content = page === eventsPage && this.visit?.kind === kind ? this.visit.content : undefined;
    this.visit = page ? { page, kind, name, content, seen: -1 } : null;
    this.head.hidden = this.node.hidden = !page;
    if (!content) fill(this.head);
    if (!page) return fill(this.node);
    if (!content) this.node.replaceChildren(h("p", { class: "note" }, `Looking at ${name || kind}…`));
    this.look();
  }

  // draw redraws the page with what is known, and looks again when the state
  // has moved on.
  draw() {
    if (!this.visit) return;
    const { page, name, content } = this.visit;
    if (content) {
      const context = this.context();
      fill(this.head, page.head(name, content, this.store, context));
      fill(this.node, page.draw(name, content, this.store, context));
    }
    if (this.store.revision !== this.visit.seen) this.look();
  }

  // about gives the alerts that belong on the page.
  about(alert) {
    return this.visit ? this.visit.page.about(this.visit.name, alert) : true;
  }

  async look() {
    const visit = this.visit;
    if (!visit || visit.looking) return;
    visit.looking = true;
    const began = performance.now();
    visit.seen = this.store.revision;
    try {
      visit.content = await visit.page.load(visit.name, get, this.store);
      visit.failed = null;
    } catch (error) {
      visit.failed = error;
    }
    if (visit !== this.visit) return;
    if (visit.content) this.draw();
    else if (visit.failed) fill(this.node, h("p", { class: "error" }, visit.failed.message), h("p", {}, h("a", { href: "#/" }, "Back to the board")));
    setTimeout(() => {
      visit.looking = false;
      if (visit === this.visit && (this.store.revision !== visit.seen || visit.failed)) this.look();
    }, Math.max(pace, 5 * (performance.now() - began)));
  }
}

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail || `The server answered ${response.status}`);
}
