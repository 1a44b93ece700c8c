// The course of a plan: how many of its cells began and ended against time,
// and the range in which the plan is expected to end.

import { h, svg } from "./dom.js";
import { onlyStuck } from "./phases.js";
import { clock, clockRange, count } from "./text.js";

// course draws a plan that has begun; null before.
export function course(plan, now) {
  if (!plan.course) return null;
  const from = Date.parse(plan.created_at);
  const until = plan.finished_at ? Date.parse(plan.finished_at) : now;
  const forecast = !plan.finished_at && !onlyStuck(plan) && plan.forecast?.left > 0 ? plan.forecast : null;
  const end = forecast && { earliest: Math.max(until, Date.parse(forecast.earliest)), likely: Math.max(until, Date.parse(forecast.likely)), latest: Math.max(until, Date.parse(forecast.latest)) };
  // A far latest end is cut off, so that what has happened stays readable. The
  // likely end is in sight whatever that costs.
  const to = Math.max(until + 1000, end ? Math.max(end.likely + (end.likely - from) / 20, Math.min(end.latest, until + 4 * (until - from) + 60000)) : 0);
  const x = (moment) => Math.min(1000, Math.max(0, (1000 * (moment - from)) / (to - from)));
  const y = (cells) => 100 - (100 * cells) / Math.max(1, plan.cells);
  const line = (counts) => {
    const points = [[0, 100]];
    let sum = 0;
    counts.forEach((n, i) => {
      sum += n;
      points.push([x(Math.min(until, from + (i + 1) * plan.course.every * 1000)), y(sum)]);
    });
    return { points: [...points, [x(until), y(sum)]], sum };
  };
  const begun = line(plan.course.begun), ended = line(plan.course.ended);
  const area = ({ points }) => `M${points.map((point) => point.map((n) => n.toFixed(1)).join(" ")).join("L")}V100H0Z`;
  const words = `${count(ended.sum, "cell")} of ${plan.cells.toLocaleString()} are over, ${begun.sum.toLocaleString()} began${end ? `; the end is expected ${clockRange(end.earliest, end.likely, end.latest)}` : ""}`;
  const mark = (moment, kind, text) => h("span", { class: `course-mark ${kind} ${x(moment) > 850 ? "left" : ""}`, style: { left: `${x(moment) / 10}%` } }, text);
  return h("figure", { class: "course", role: "img", "aria-label": words },
    svg("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" },
      end && svg("rect", { class: "course-end", x: x(end.earliest), y: 0, width: Math.max(2, x(end.latest) - x(end.earliest)), height: 100 }),
      svg("path", { class: "course-begun", d: area(begun) }),
      svg("path", { class: "course-ended", d: area(ended) }),
      end && svg("path", { class: "course-likely", d: `M${x(until)} ${y(ended.sum)}L${x(end.likely)} 0` })),
    h("span", { class: "course-scale" }, count(plan.cells, "cell")),
    mark(from, "start", clock(from)),
    !plan.finished_at && mark(until, "now", "now"),
    end && mark(end.likely, "likely", `likely ${clock(end.likely)}`));
}
