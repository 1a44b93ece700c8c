// The phases of a roll as the board shows them. Each has a letter or sign, so
// that nothing is told by colour alone.

export const phases = {
  idle: { sign: "", label: "no plan" },
  queued: { sign: "·", label: "queued" },
  cordoned: { sign: "C", label: "cordoned" },
  draining: { sign: "D", label: "draining" },
  moving: { sign: "M", label: "moving" },
  interrupting: { sign: "I", label: "interrupting" },
  quiesced: { sign: "Q", label: "quiesced" },
  acting: { sign: "A", label: "acting" },
  returning: { sign: "R", label: "returning" },
  settling: { sign: "S", label: "settling" },
  done: { sign: "✓", label: "done" },
  skipped: { sign: "»", label: "skipped" },
  aborted: { sign: "×", label: "aborted" },
  stuck: { sign: "!", label: "stuck" },
  gone: { sign: "?", label: "not answering" },
  lost: { sign: "†", label: "lost" },
};

// order is that of a roll, then what should not be.
export const order = Object.keys(phases);

const ended = new Set(["done", "skipped", "aborted"]);
export const isFinal = (phase) => ended.has(phase);
export const isRolling = (phase) => Boolean(phase) && phase !== "queued" && !isFinal(phase);

// onlyStuck: nothing of a plan is left but what waits for a person, so nobody
// can say when it ends.
export const onlyStuck = (plan) => plan.stuck > 0 && Object.keys(plan.phases).every(isFinal);

// How long a finished plan stays visible in the squares.
const afterglow = 10 * 60 * 1000;

// lookOf says how a cell looks: one of phases. now is the server's time in ms.
export function lookOf(cell, plans, now) {
  if (cell.state === "lost") return "lost";
  if (cell.stuck) return "stuck";
  const plan = plans.get(cell.plan);
  const inPlan = plan && (!plan.finished_at || now - Date.parse(plan.finished_at) < afterglow);
  // A host that is being acted on does not answer, as it should be.
  const away = inPlan && ["quiesced", "acting", "returning"].includes(cell.phase);
  if (cell.state === "gone" && !away) return "gone";
  return inPlan ? cell.phase : "idle";
}
