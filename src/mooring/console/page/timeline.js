// Rolls drawn against time.

import { h, since } from "./dom.js";
import { phases, isFinal } from "./phases.js";
import { clock, duration } from "./text.js";

// spans gives what a roll went through: phase, from and to in ms.
function spans(roll, plan, now) {
  const entries = (roll.timeline || []).filter((entry, i, all) => i === 0 || entry.phase !== all[i - 1].phase);
  const end = plan.finished_at ? Date.parse(plan.finished_at) : now;
  return entries.map((entry, i) => ({
    phase: entry.phase, from: Date.parse(entry.at), to: i + 1 < entries.length ? Date.parse(entries[i + 1].at) : Math.max(end, Date.parse(entry.at)),
  })).filter((span) => !isFinal(span.phase));
}

// axis gives the time axis of a plan: from its start to now or its likely end.
export function axis(plan, forecast, now) {
  const from = Date.parse(plan.created_at);
  const likely = forecast ? Date.parse(forecast.likely) : 0;
  const to = plan.finished_at ? Date.parse(plan.finished_at) : Math.max(now + 0.04 * (now - from), Math.min(likely, now + 2 * (now - from) + 60000));
  const length = Math.max(to - from, 1000);
  const place = (moment) => Math.min(100, Math.max(0, (100 * (moment - from)) / length));
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800];
  const step = 1000 * (steps.find((seconds) => length / (1000 * seconds) <= 7) || 604800);
  const ticks = [];
  const nowAt = plan.finished_at ? 100 : place(now);
  for (let at = 0; at <= length; at += step) {
    const tick = place(from + at);
    if (at === 0 || Math.abs(tick - nowAt) > 6) ticks.push({ at: tick, text: at ? `+${duration(at)}` : clock(from) });
  }
  const end = !plan.finished_at && forecast?.left > 0 && { from: place(Math.max(now, Date.parse(forecast.earliest))), to: place(Math.max(now, Date.parse(forecast.latest))) };
  return { place, ticks, end, nowAt };
}

// ghost draws when a cell's turn is expected; null when that is not known.
export function ghost(slot, span, now) {
  if (!slot) return null;
  const from = Math.max(now, Date.parse(slot.from)), to = Math.max(from, Date.parse(slot.to));
  return h("span", { class: "ghost", title: `expected ${clock(from)} to ${clock(to)}`, style: { left: `${span.place(from)}%`, width: `${Math.max(0.3, span.place(to) - span.place(from))}%` } });
}

// bar draws one roll on an axis, with more inside where there is, and since when
// it has been stuck.
export function bar(roll, plan, span, now, more, stuckSince) {
  const parts = spans(roll, plan, now);
  const words = parts.map((part) => `${phases[part.phase].label} ${duration(part.to - part.from)}`).join(", ");
  return h("div", { class: "track", role: "img", "aria-label": [words || "not begun", stuckSince && `stuck for ${duration(now - Date.parse(stuckSince))}`].filter(Boolean).join(", ") }, more,
    parts.map((part) => h("span", { "data-look": part.phase, title: `${phases[part.phase].label}: ${duration(part.to - part.from)}`,
      style: { left: `${span.place(part.from)}%`, width: `${Math.max(0.15, span.place(part.to) - span.place(part.from))}%` } })),
    stuckSince && h("span", { "data-look": "stuck", title: `stuck since ${clock(stuckSince)}`, style: { left: `${span.place(Date.parse(stuckSince))}%`, width: `${Math.max(0.3, span.place(now) - span.place(Date.parse(stuckSince)))}%` } }));
}

// noteOf is what was noted about where a roll is now.
export const noteOf = (roll) => (isFinal(roll.phase) && roll.phase === "done" ? "" : roll.timeline?.at(-1)?.note || "");

// steps draws one roll as the list of phases it went through.
export function steps(roll, plan, now) {
  const parts = spans(roll, plan, now);
  const last = roll.timeline?.at(-1);
  return h("ol", { class: "steps" },
    parts.map((part, i) => h("li", { class: i === parts.length - 1 && !isFinal(roll.phase) ? "current" : "" },
      h("span", { class: "badge", "data-look": roll.stuck_id && i === parts.length - 1 ? "stuck" : part.phase }, phases[part.phase].label),
      i === parts.length - 1 && !isFinal(roll.phase) ? since(new Date(part.from).toISOString()) : h("span", { class: "dim" }, duration(part.to - part.from)))),
    isFinal(roll.phase) && h("li", { class: "current" }, h("span", { class: "badge", "data-look": roll.phase }, phases[roll.phase].label), last && h("span", { class: "dim" }, `at ${clock(last.at)}`)));
}
