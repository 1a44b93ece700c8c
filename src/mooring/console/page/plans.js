// Plans on the board: how far each is, when it ends and what keeps it from
// being faster.

import { h, fill, since } from "./dom.js";
import { phases, order, isRolling, onlyStuck } from "./phases.js";
import { clock, clockRange, count, duration } from "./text.js";
import { ask } from "./dialog.js";
import { planHref } from "./links.js";
import { course } from "./course.js";

// drawPlans shows the unfinished plans, and those that finished lately.
export function drawPlans(plans, context) {
  const section = document.getElementById("plans");
  const shown = plans.filter((plan) => !plan.finished_at || context.now - Date.parse(plan.finished_at) < 3600 * 1000);
  const older = plans.length - shown.length;
  section.hidden = plans.length === 0;
  fill(section, h("div", { class: "section-head" }, h("h2", { id: "plans-title" }, "Plans"),
    h("p", { class: "note" }, shown.length === 0 ? "None is running." : "", older > 0 ? ` ${count(older, "older one")}: `  : "",
      plans.filter((plan) => !shown.includes(plan)).slice(0, 3).map((plan, i) => [i ? ", " : "", h("a", { href: planHref(plan.name) }, plan.name)]))),
    shown.map((plan) => h("article", { class: "plan", "data-key": plan.name, "data-status": plan.status }, planHead(plan, context, true),
      !plan.finished_at && [band(plan), course(plan, context.now)], planFoot(plan, context))));
}

// planHead is the line with a plan's state and orders; linked, with its name.
export function planHead(plan, context, linked) {
  const asked = !plan.finished_at && plan.intent !== "run" ? (plan.intent === "pause" ? "paused" : "being aborted") : plan.status;
  return h("div", { class: "plan-head" },
    linked && h("h3", {}, h("a", { href: planHref(plan.name) }, plan.name)),
    h("span", { class: "tag", "data-status": asked }, asked),
    h("span", { class: "dim" }, `${plan.action} of ${count(plan.cells, "cell")}`, plan.created_by && ` by ${plan.created_by}`, plan.reason && `: ${plan.reason}`),
    steering(plan, context));
}

function steering(plan, { mayAct, connected }) {
  if (plan.finished_at || !mayAct) return null;
  const button = (intent, words, effect, danger) => h("button", { type: "button", class: danger ? "danger" : "", disabled: !connected, "data-intent": intent,
    onclick: () => ask({ title: `${words} ${plan.name}`, effect, action: words, danger, method: "PUT", url: `/v1/plans/${encodeURIComponent(plan.name)}/intent`,
      body: ({ reason, by }) => ({ intent, reason, by }) }) }, words);
  return h("span", { class: "steering" },
    plan.intent === "pause" ? button("run", "Resume", "New rolls start again.") : button("pause", "Pause", "No roll starts. Cells being acted on finish, all others go back to serving."),
    button("abort", "Abort", "The plan ends. What can be undone is, and no cell stays cordoned; a host that is being acted on is finished.", true));
}

// band is a plan as one bar: its cells by phase.
export function band(plan) {
  const counts = { ...plan.phases, stuck: plan.stuck };
  const parts = ["done", "settling", "returning", "acting", "quiesced", "interrupting", "moving", "draining", "cordoned", "stuck", "queued", "skipped", "aborted"]
    .filter((phase) => counts[phase]);
  const words = order.filter((phase) => counts[phase]).map((phase) => `${counts[phase]} ${phases[phase].label}`).join(", ");
  return h("div", { class: "band", role: "img", "aria-label": words }, parts.map((phase) =>
    h("span", { "data-key": phase, "data-look": phase, title: `${counts[phase]} ${phases[phase].label}`, style: { "flex-grow": counts[phase] } },
      h("b", {}, counts[phase].toLocaleString()), h("i", {}, ` ${phases[phase].label}`))));
}

// planFoot says when a plan ends, and what bounds it.
export function planFoot(plan, { now }) {
  const rolling = Object.entries(plan.phases).reduce((n, [phase, cells]) => n + (isRolling(phase) ? cells : 0), 0);
  const began = Date.parse(plan.created_at);
  if (plan.finished_at) {
    return h("p", { class: "plan-foot" }, fact("Took", duration(Date.parse(plan.finished_at) - began)), fact("Ended", clock(plan.finished_at)),
      fact("Done", `${plan.phases.done || 0} of ${plan.cells}`));
  }
  const forecast = plan.forecast;
  return h("p", { class: "plan-foot" },
    fact("Running for", since(plan.created_at)),
    fact("In roll", count(rolling, "cell")),
    plan.stuck > 0 && fact("Stuck", count(plan.stuck, "cell")),
    onlyStuck(plan) ? fact("Ends", "when what is stuck is answered") : forecast?.left > 0 && fact("Ends", ends(forecast, now)),
    forecast?.open > 0 && fact("Without a turn, as things are", count(forecast.open, "cell")),
    !onlyStuck(plan) && forecast?.bottleneck && fact("Bottleneck", forecast.bottleneck),
    plan.window && fact("Starts rolls", plan.window));
}

const fact = (name, ...value) => h("span", { class: "fact" }, h("span", { class: "label" }, name), " ", ...value);

function ends(forecast, now) {
  const latest = Date.parse(forecast.latest);
  if (latest < now) return `later than the ${clock(latest)} expected`;
  return clockRange(Math.max(now, Date.parse(forecast.earliest)), Math.max(now, Date.parse(forecast.likely)), latest);
}
