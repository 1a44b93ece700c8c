// What the server last said, by key, and what of it changed since it was drawn.

const severities = ["critical", "warning", "info"];

const keyOf = { cells: "id", apps: "name", plans: "name", stuck: "id" };

export class Store {
  constructor() {
    this.cells = new Map();
    this.apps = new Map();
    this.plans = new Map();
    this.stuck = new Map();
    this.changed = { cells: new Set(), apps: new Set(), plans: new Set(), stuck: new Set() };
    this.revision = 0;
    this.appCount = 0;
    this.told = false; // whether the server has said anything yet
    this.mayAct = false;
  }

  // take applies one message.
  take(message) {
    this.told = true;
    this.revision = message.revision;
    this.appCount = message.app_count;
    this.mayAct = message.may_act;
    for (const [name, key] of Object.entries(keyOf)) {
      const known = this[name], changed = this.changed[name];
      const put = message.put?.[name] || [];
      if (message.whole) {
        const kept = new Set(put.map((item) => item[key]));
        for (const old of known.keys()) {
          if (!kept.has(old)) {
            known.delete(old);
            changed.add(old);
          }
        }
      }
      for (const item of put) {
        known.set(item[key], item);
        changed.add(item[key]);
      }
      for (const gone of message.gone?.[name] || []) {
        known.delete(gone);
        changed.add(gone);
      }
    }
  }

  // drawn forgets what changed in a list, and gives it.
  drawn(name) {
    const changed = this.changed[name];
    this.changed[name] = new Set();
    return changed;
  }

  // plansNewest gives the plans, unfinished ones first, then the newest.
  plansNewest() {
    return [...this.plans.values()].sort((a, b) =>
      Boolean(a.finished_at) - Boolean(b.finished_at) || Date.parse(b.created_at) - Date.parse(a.created_at));
  }

  // stuckWorst gives what is stuck: the worst first, of those the oldest. What
  // moves again comes last.
  stuckWorst() {
    return [...this.stuck.values()].sort((a, b) => Boolean(a.recovered_at) - Boolean(b.recovered_at) ||
      severities.indexOf(a.severity) - severities.indexOf(b.severity) || Date.parse(a.flagged_at) - Date.parse(b.flagged_at));
  }
}
