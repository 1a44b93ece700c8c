// One plan: how far it is, why it is no further, and every cell on one time
// axis with when its turn is expected.

import { h } from "./dom.js";
import { isFinal, isRolling } from "./phases.js";
import { heading, events, badge } from "./parts.js";
import { cellHref } from "./links.js";
import { planHead, band, planFoot } from "./plans.js";
import { course } from "./course.js";
import { axis, bar, ghost, noteOf } from "./timeline.js";
import { count, sentence } from "./text.js";
import { why } from "./why.js";

// How many cells are drawn: those in roll first, then the latest.
const most = 80;

export const planPage = {
  about: (name, alert) => alert.plan === decodeURIComponent(name),

  async load(name, get) {
    const [plan, happened, reason] = await Promise.all([get(`/v1/plans/${name}`), get(`/v1/events?limit=60&plan=${name}`), get(`/v1/why/plans/${name}`)]);
    return { plan, happened, reason };
  },

  head(name, { plan }, store, context) {
    const shown = shownPlan(plan, store);
    return [heading("plan", plan.name), h("article", { class: "plan", "data-status": shown.status }, planHead(shown, context, false), band(shown), course(shown, context.now), planFoot(shown, context))];
  },

  draw(name, { plan, happened, reason }, store, context) {
    const shown = shownPlan(plan, store);
    const waiting = new Map((plan.waiting || []).map((one) => [one.cell_id, one.why || []]));
    const slots = new Map((shown.forecast?.slots || []).map((slot) => [slot.cell_id, slot]));
    const rolls = choose(plan.rolls);
    const span = axis(plan, shown.forecast, context.now);
    const stuck = (roll) => roll.stuck_id && store.stuck.get(roll.stuck_id);
    const note = (roll) => {
      const text = stuck(roll)?.what || waiting.get(roll.cell_id)?.[0] || noteOf(roll);
      return h("span", { class: stuck(roll) ? "roll-note bad" : "roll-note dim", title: text }, sentence(text));
    };
    return [
      !plan.finished_at && why(reason, store),
      h("section", {}, h("h2", {}, "Timeline"), rolls.length < plan.rolls.length && h("p", { class: "note" }, `${rolls.length} of ${count(plan.rolls.length, "cell")}: those in roll, the last that ended and the next in turn.`),
        h("div", { class: "timeline" },
          h("div", { class: "axis", "aria-hidden": "true" }, span.ticks.map((tick) => h("span", { style: { left: `${tick.at}%` } }, tick.text)),
            span.end && h("i", { class: "end", style: { left: `${span.end.from}%`, width: `${Math.max(0.3, span.end.to - span.end.from)}%` } }),
            span.nowAt < 100 && h("i", { class: "now", style: { left: `${span.nowAt}%` } }, h("b", {}, "now"))),
          rolls.map((roll) => h("div", { class: "roll", "data-key": roll.cell_id },
            h("a", { class: "roll-cell", href: cellHref(roll.cell_id) }, roll.cell_id),
            badge(roll.stuck_id ? "stuck" : roll.phase),
            bar(roll, plan, span, context.now, roll.phase === "queued" && ghost(slots.get(roll.cell_id), span, context.now), stuck(roll)?.flagged_at),
            note(roll))))),
      h("section", {}, h("h2", {}, "What happened"), events(happened)),
    ];
  },
};

// shownPlan is a plan as the board has it, or counted from its rolls when it
// is too old to be on the board.
const shownPlan = (plan, store) => store.plans.get(plan.name) ||
  { ...plan, cells: plan.rolls.length, phases: countPhases(plan.rolls), stuck: plan.rolls.filter((roll) => roll.stuck_id).length };

function countPhases(rolls) {
  const counts = {};
  for (const roll of rolls) if (!roll.stuck_id) counts[roll.phase] = (counts[roll.phase] || 0) + 1;
  return counts;
}

// choose gives the rolls that say most about where a plan is, in its order.
function choose(rolls) {
  if (rolls.length <= most) return rolls;
  const rank = (roll) => (roll.stuck_id ? 0 : isRolling(roll.phase) ? 1 : isFinal(roll.phase) ? 2 : 3);
  const ended = (roll) => Date.parse(roll.timeline?.at(-1)?.at || 0);
  const now = rolls.filter((roll) => rank(roll) < 2).slice(0, most);
  const done = rolls.filter((roll) => rank(roll) === 2).sort((a, b) => ended(b) - ended(a)).slice(0, Math.max(0, most - now.length - 10));
  const next = rolls.filter((roll) => rank(roll) === 3).slice(0, most - now.length - done.length);
  return [...now, ...done, ...next].sort((a, b) => a.order - b.order);
}
