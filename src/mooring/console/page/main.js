// The board: takes what the server says, and draws it once a frame at most.

import { Live } from "./live.js";
import { Store } from "./store.js";
import { Fleet } from "./fleet.js";
import { Page } from "./pages.js";
import { drawStuck } from "./stuck.js";
import { drawPlans } from "./plans.js";
import { drawApps } from "./apps.js";
import { drawKey } from "./key.js";
import { fill } from "./dom.js";
import { clock, count, duration, printable } from "./text.js";
import { startTheme } from "./theme.js";
import { actsForApps, findOut } from "./who.js";

const at = (id) => document.getElementById(id);
const store = new Store();
const live = new Live("/console/live", (message) => { announce(message); store.take(message); draw(); }, connection);
const context = () => ({ now: live.now(), mayAct: store.mayAct, connected: live.state === "live" });
const fleet = new Fleet(store, () => live.now());
const page = new Page(store, context);

let due = false;
// all: draw every list, also what no message touched.
let all = true;

function draw(everything = false) {
  all = all || everything;
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    frame();
  });
}

// frame draws the lists that changed. Lists take their turn when there is much
// to do, so that no frame takes long.
function frame() {
  const now = context();
  const stuck = store.drawn("stuck").size > 0 || all;
  const plans = store.drawn("plans").size > 0 || all;
  const apps = store.drawn("apps").size > 0 || all;
  all = false;
  const alerts = store.stuckWorst();
  if (stuck) drawStuck(alerts.filter((alert) => page.about(alert)), now);
  if (page.visit) page.draw();
  if (!page.visit && plans) drawPlans(store.plansNewest(), now);
  if (!page.visit && apps) drawApps(store);
  if (!page.visit && fleet.draw()) draw();
  summarise(alerts);
  tick();
}

function summarise(alerts) {
  if (!live.hasBoard) return;
  const running = [...store.plans.values()].filter((plan) => !plan.finished_at);
  const stuck = alerts.length ? `${alerts.length} stuck` : "nothing stuck";
  const rest = [count(store.cells.size, "cell"), running.length ? `${count(running.length, "plan")} running` : "no plan running"];
  const parts = alerts.length ? [stuck, ...rest] : [...rest, stuck]; // what matters is not cut off
  fill(at("summary"), parts.join(" · "));
  document.title = `${alerts.length ? `(${alerts.length}!) ` : ""}${page.visit ? `${page.visit.kind === "events" ? "Events" : decodeURIComponent(page.visit.name)} · ` : ""}Mooring`;
  at("read-only").hidden = store.mayAct || actsForApps();
}

// tick shows how long things have lasted, as far as anybody knows.
function tick() {
  const now = live.state === "stale" && live.heardAt ? Date.parse(live.heardAt) : live.now();
  for (const node of document.querySelectorAll("[data-since]")) {
    const text = node.dataset.prefix + duration(now - Number(node.dataset.since));
    if (node.textContent !== text) node.textContent = text;
  }
}

function connection(state) {
  at("connection").dataset.state = state;
  document.body.classList.toggle("is-stale", state === "stale");
  staleWords();
  draw(true);
  if (state === "stale") findOut(at("who")); // the token may have run out
}

function staleWords() {
  const stale = live.state === "stale";
  at("connection-text").textContent = { live: "Live", stale: "Stale", connecting: "Connecting" }[live.state];
  at("stale").hidden = !stale;
  if (!stale) return;
  const old = live.heardAt ? `What you see is from ${clock(live.heardAt)}, ${duration(performance.now() - live.heard)} ago. ` : "";
  fill(at("stale"), "Connection lost. ", old, live.why ? `The server said: ${live.why}. ` : "", "Trying to connect again.");
}

// announce tells screen readers what an operator would want to be told.
function announce(message) {
  if (!live.hasBoard) return;
  const news = [], alarms = [];
  for (const alert of message.put?.stuck || []) if (!store.stuck.has(alert.id)) alarms.push(`Stuck: ${alert.what}`);
  for (const id of message.gone?.stuck || []) news.push(`No longer stuck: ${store.stuck.get(id)?.cell_id || id}`);
  for (const plan of message.put?.plans || []) {
    const known = store.plans.get(plan.name);
    if (known && known.status !== plan.status) news.push(`Plan ${plan.name} is ${plan.status}`);
  }
  if (alarms.length) at("alarms").textContent = printable(alarms.slice(0, 3).join(". "));
  if (news.length) at("news").textContent = printable(news.slice(0, 3).join(". "));
}

function route() {
  const [path, query] = location.hash.slice(2).split("?");
  const [kind, ...rest] = path.split("/");
  page.show(kind, kind === "events" ? query || "" : decodeURI(rest.join("/")));
  at("board").hidden = Boolean(page.visit);
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.hash === (kind === "events" ? "#/events" : page.visit ? "" : "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
  draw(true);
}

function goTo(event) {
  event.preventDefault();
  const name = at("goto-name").value.trim().replace(/^\/+/, "");
  const app = store.apps.has(name) ? name : [...store.apps.keys()].find((known) => known.endsWith(`/${name}`));
  if (store.cells.has(name)) location.hash = `#/cell/${name}`;
  else if (store.plans.has(name)) location.hash = `#/plan/${encodeURIComponent(name)}`;
  else if (app || name.split("/").length === 3) location.hash = `#/app/${app || name}`;
  else return at("goto-name").setCustomValidity(`There is no cell, app or plan ${name} in sight`), at("goto-name").reportValidity();
  at("goto-name").value = "";
  at("main").focus();
}

at("goto").onsubmit = goTo;
at("goto-name").oninput = () => at("goto-name").setCustomValidity("");
// Names are offered from the second letter on: a large fleet has thousands.
at("goto-name").onkeyup = () => {
  const typed = at("goto-name").value.trim().replace(/^\/+/, "");
  const names = typed.length < 2 ? [] : [...store.cells.keys(), ...store.apps.keys(), ...store.plans.keys()].filter((name) => name.includes(typed)).slice(0, 12);
  at("goto-names").replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
};
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, dialog")) return;
  event.preventDefault();
  at("goto-name").focus();
});
addEventListener("hashchange", () => {
  route();
  // What had the focus may be gone, except on the events, which only changed.
  if (!document.activeElement?.closest(".filters")) at("main").focus({ preventScroll: true });
});
setInterval(() => {
  tick();
  staleWords();
  if (!page.visit && fleet.lookAgain()) draw();
  if (page.visit) page.draw();
}, 1000);

startTheme(at("theme"));
findOut(at("who")).then(() => draw(true));
drawKey(at("key"));
route();
live.start();
