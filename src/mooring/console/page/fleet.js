// The squares: cells by AZ and update domain. Only squares whose cell changed
// are touched, and never for longer than a part of a frame.

import { h, fill, since } from "./dom.js";
import { phases, order, lookOf } from "./phases.js";
import { count, duration, shortApp } from "./text.js";

const byName = new Intl.Collator(undefined, { numeric: true });

// How long drawing squares may take of one frame, in ms.
const budget = 10;

// sizeFor chooses how much a square shows: the fewer cells, the more.
const sizeFor = (n) => (n <= 16 ? "large" : n <= 60 ? "medium" : n <= 300 ? "small" : "tiny");
const chipsIn = { large: 12, medium: 40, small: 0, tiny: 0 };

export class Fleet {
  constructor(store, now) {
    Object.assign(this, { store, now });
    this.zones = document.getElementById("zones");
    this.squares = new Map(); // by cell
    this.rows = new Map(); // by AZ and domain
    this.looks = new Map(); // by cell
    this.todo = new Set();
    this.size = "";
    this.zones.addEventListener("keydown", (event) => this.move(event));
    for (const name of ["focusin", "mouseover"]) this.zones.addEventListener(name, (event) => this.inspect(event.target.closest(".cell")));
    for (const name of ["focusout", "mouseleave"]) this.zones.addEventListener(name, () => this.inspect(null));
  }

  // draw brings squares up to date and reports whether some are left for the
  // next frame.
  draw() {
    const cells = this.store.cells;
    const size = sizeFor(cells.size);
    if (size !== this.size) {
      this.size = size;
      this.zones.dataset.size = size;
      for (const id of cells.keys()) this.todo.add(id);
    }
    for (const id of this.store.drawn("cells")) this.todo.add(id);
    for (const id of this.todo) if (!this.squares.has(id)) { this.sortTodo(); break; }
    const until = performance.now() + budget;
    for (const id of this.todo) {
      if (performance.now() > until) break;
      this.todo.delete(id);
      this.drawCell(id, cells.get(id));
    }
    if (this.todo.size === 0) this.tidy();
    return this.todo.size > 0;
  }

  // lookAgain redraws cells whose look changes without a message: a finished
  // plan that fades.
  lookAgain() {
    const now = this.now();
    for (const [id, cell] of this.store.cells) {
      if (this.looks.get(id) !== lookOf(cell, this.store.plans, now)) this.todo.add(id);
    }
    return this.todo.size > 0;
  }

  // New squares are made in their order, so that each goes to the end.
  sortTodo() {
    this.todo = new Set([...this.todo].sort(byName.compare));
  }

  drawCell(id, cell) {
    let square = this.squares.get(id);
    if (!cell) {
      square?.remove();
      this.squares.delete(id);
      this.looks.delete(id);
      this.changedLooks = true;
      return;
    }
    const look = lookOf(cell, this.store.plans, this.now());
    if (!square) {
      square = h("a", { class: "cell", href: `#/cell/${id}`, "data-id": id, tabindex: this.squares.size ? "-1" : "0" });
      this.squares.set(id, square);
    }
    const row = this.row(cell.az, cell.domain);
    if (square.parentNode !== row) {
      const after = [...reversed(row.children)].find((other) => byName.compare(other.dataset.id, id) < 0);
      row.insertBefore(square, after ? after.nextSibling : row.firstChild);
    }
    if (this.looks.get(id) !== look) {
      this.looks.set(id, look);
      this.changedLooks = true;
    }
    square.dataset.look = look;
    square.classList.toggle("cordoned", Boolean(cell.cordoned));
    square.setAttribute("aria-label", this.sentence(cell, look));
    if (this.size === "tiny") {
      if (square.textContent !== phases[look].sign) square.textContent = phases[look].sign;
    } else fill(square, this.inside(cell, look));
    if (this.inspected === square) this.inspect(square);
  }

  inside(cell, look) {
    const { sign, label } = phases[look];
    if (this.size === "small") {
      return [h("span", { class: "cell-id" }, shortId(cell.id)), h("span", { class: "sign" }, sign)];
    }
    const rolling = look !== "idle" && look !== "queued";
    const phase = look === "stuck" && cell.phase ? `stuck, ${cell.phase}` : label;
    const large = this.size === "large";
    return [
      h("span", { class: "cell-head" }, h("span", { class: "cell-id" }, cell.id), sign && h("span", { class: "sign" }, sign)),
      h("span", { class: "cell-phase" }, look === "idle" ? restWords(cell) : phase, rolling && cell.since && look !== "done" && h("span", { class: "dim" }, " ", since(cell.since))),
      h("span", { class: large ? "chips" : "dots" }, this.chips(cell, large)),
    ];
  }

  chips(cell, large) {
    const all = [...(cell.instances || []).map((i) => chip(i, large)), ...(cell.spare || []).map((v) => spare(v, large))];
    const most = chipsIn[this.size];
    if (!cell.instances && cell.serving + cell.disrupted + cell.down) {
      return h("span", { class: "more" }, count(cell.serving + cell.disrupted + cell.down, "instance"));
    }
    if (all.length <= most) return all;
    return [...all.slice(0, most - 1), h("span", { class: "more" }, `and ${all.length - most + 1} more`)];
  }

  // sentence is a whole square in words, for screen readers and the inspector.
  sentence(cell, look) {
    const words = [cell.id, `AZ ${cell.az}`, `domain ${cell.domain}`, look === "stuck" && cell.phase ? `stuck while ${cell.phase}` : phases[look].label];
    if (cell.state === "gone" && look !== "gone") words.push("not answering");
    const standing = ["serving", "disrupted", "down"].filter((name) => cell[name]).map((name) => `${cell[name]} ${name}`);
    words.push(standing.length ? `instances: ${standing.join(", ")}` : "no instances");
    const volumes = ["fixed", "floating"].filter((name) => cell[name]).map((name) => `${cell[name]} ${name}`);
    if (volumes.length) words.push(`volumes: ${volumes.join(", ")}`);
    if (cell.cordoned) words.push("cordoned");
    return words.join(", ");
  }

  row(az, domain) {
    const key = `${az}/${domain}`;
    let row = this.rows.get(key);
    if (row) return row;
    let zone = [...this.zones.children].find((other) => other.dataset.az === az);
    if (!zone) {
      zone = h("section", { class: "zone", "data-az": az, "aria-label": `AZ ${az}` }, h("h3", {}, az, h("span", { class: "note" })));
      const next = [...this.zones.children].find((other) => byName.compare(other.dataset.az, az) > 0);
      this.zones.insertBefore(zone, next || null);
    }
    const title = domain ? `domain ${domain}` : "no domain yet";
    row = h("div", { class: "cells" });
    const line = h("div", { class: "domain", "data-domain": domain, role: "group", "aria-label": `${az}, ${title}` }, h("span", { class: "domain-title", "aria-hidden": "true" }, title), row);
    const next = [...zone.children].find((other) => other.dataset.domain && Number(other.dataset.domain) > domain);
    zone.insertBefore(line, next || null);
    this.rows.set(key, row);
    return row;
  }

  // tidy removes rows that became empty and counts what is where.
  tidy() {
    for (const [key, row] of this.rows) {
      if (row.children.length) continue;
      this.rows.delete(key);
      const zone = row.closest(".zone");
      row.parentNode.remove();
      if (!zone.querySelector(".domain")) zone.remove();
    }
    if (!this.zones.querySelector('.cell[tabindex="0"]')) this.zones.querySelector(".cell")?.setAttribute("tabindex", "0");
    if (!this.changedLooks) return;
    this.changedLooks = false;
    const counts = new Map();
    for (const look of this.looks.values()) counts.set(look, (counts.get(look) || 0) + 1);
    fill(document.getElementById("legend"), order.filter((look) => counts.has(look)).map((look) =>
      h("li", { "data-key": look }, h("span", { class: "swatch", "data-look": look, "aria-hidden": "true" }, phases[look].sign),
        ` ${phases[look].label} `, h("b", {}, counts.get(look).toLocaleString()))));
    for (const zone of this.zones.children) fill(zone.querySelector(".note"), count(zone.querySelectorAll(".cell").length, "cell"));
    const zones = this.zones.children.length;
    fill(document.getElementById("fleet-note"), this.squares.size ? `${count(this.squares.size, "cell")} in ${count(zones, "AZ")}` : "No cell has registered yet.");
  }

  // move lets the arrow keys walk over the squares.
  move(event) {
    const at = event.target.closest(".cell");
    if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...this.zones.querySelectorAll(".cell")];
    const i = all.indexOf(at);
    const to = { ArrowRight: () => all[i + 1], ArrowLeft: () => all[i - 1], Home: () => all[0], End: () => all.at(-1),
      ArrowDown: () => nearest(at, all, 1), ArrowUp: () => nearest(at, all, -1) }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = to();
    if (!next) return;
    for (const old of this.zones.querySelectorAll('.cell[tabindex="0"]')) old.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // inspect says in words what is under the pointer or has the focus, where
  // squares are too small for it.
  inspect(square) {
    const line = document.getElementById("inspector");
    this.inspected = square;
    const cell = square && this.store.cells.get(square.dataset.id);
    line.hidden = !cell || this.size === "large";
    if (line.hidden) return;
    const look = lookOf(cell, this.store.plans, this.now());
    const gone = cell.since && look !== "idle" ? `, for ${duration(this.now() - Date.parse(cell.since))}` : "";
    fill(line, h("span", { class: "swatch", "data-look": look }, phases[look].sign), " ", this.sentence(cell, look) + gone);
  }
}

function nearest(at, all, direction) {
  const from = at.getBoundingClientRect();
  let best, least = Infinity;
  for (const other of all) {
    const to = other.getBoundingClientRect();
    const away = direction * (to.top - from.top);
    if (away < from.height / 2) continue;
    const distance = away * 4 + Math.abs(to.left - from.left);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

function* reversed(list) {
  for (let i = list.length - 1; i >= 0; i--) yield list[i];
}

// shortId drops what all ids begin with: only the number tells them apart.
const shortId = (id) => id.match(/[0-9]+$/)?.[0] || id;

const restWords = (cell) => (cell.serving + cell.disrupted + cell.down ? count(cell.serving + cell.disrupted + cell.down, "instance") : "empty");

// mark is an instance's dot inside the shape of its volume.
export const mark = (standing, volume) => h("span", { class: "mark-dot", "data-standing": standing, "data-volume": volume || "none", "aria-hidden": "true" });

function chip(i, large) {
  if (!large) return h("span", { class: "dot", title: chipWords(i) }, mark(i.standing, i.volume));
  const doing = i.standing === "disrupted" ? (i.step === "running" && i.progress ? `${i.progress} %` : i.step) : i.standing !== "serving" ? i.state || i.standing : "";
  return h("span", { class: "chip", "data-standing": i.standing, title: chipWords(i) }, mark(i.standing, i.volume),
    h("span", { class: "chip-app" }, shortApp(i.app)), h("span", { class: "chip-index" }, `/${i.index}`), doing && h("span", { class: "chip-doing" }, doing));
}

export function chipWords(i) {
  const words = [`${i.app}/${i.index}`, i.standing];
  if (i.state && i.state !== i.standing) words.push(i.state);
  if (i.kind) words.push(`${i.kind}: ${i.step}${i.progress ? `, ${i.progress} %` : ""}`);
  words.push(i.volume ? `${i.volume === "both" ? "fixed and floating" : i.volume} volume` : "no volume");
  return words.join(", ");
}

const spare = (v, large) => h("span", { class: large ? "chip" : "dot", title: `volume ${v.set}/${v.index}, ${v.floating ? "floating" : "fixed"}, ${v.ending ? "ending" : "not used"}` },
  mark("none", v.floating ? "floating" : "fixed"),
  large && h("span", { class: "chip-app" }, shortApp(v.set)), large && h("span", { class: "chip-index" }, `/${v.index}`), large && h("span", { class: "chip-doing" }, v.ending ? "ending" : "unused"));
