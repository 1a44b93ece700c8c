// The dialog for everything a person decides: it always asks for a reason, and
// for the names of data that would be lost to be typed.

import { h, fill } from "./dom.js";
import { printable } from "./text.js";
import { believed } from "./who.js";

const dialog = () => document.getElementById("dialog");
const remembered = "mooring.name";

// ask opens the dialog for a question:
//   title, effect, action  what it says
//   danger                 what cannot be undone
//   longer                 ask for how long
//   names                  what has to be typed
//   method, url, body      where the decision goes; body makes it from the form
export function ask(question) {
  const node = dialog();
  const reason = h("textarea", { id: "ask-reason", name: "reason", rows: "2", required: true, placeholder: "It is kept with the event" });
  const by = believed() && h("input", { id: "ask-by", name: "by", required: true, autocomplete: "name", value: recall() });
  const longer = question.longer && h("input", { id: "ask-longer", name: "longer", required: true, value: "5m", pattern: "([0-9]+(\\.[0-9]+)?(h|m|s))+", title: "A time such as 90s, 5m or 2h" });
  const names = question.names?.length > 0 && h("textarea", { id: "ask-names", name: "names", rows: String(Math.min(6, question.names.length)), required: true, spellcheck: "false", autocomplete: "off" });
  const trouble = h("p", { class: "error", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: question.danger ? "danger" : "primary" }, question.action);
  const form = h("form", { method: "dialog" },
    h("h2", { id: "dialog-title" }, question.title),
    h("p", { class: "effect" }, question.effect),
    question.names?.length > 0 && h("div", { class: "names" },
      h("ul", {}, question.names.map((name) => h("li", {}, h("code", {}, name)))),
      h("label", { for: "ask-names" }, question.names.length > 1 ? "Type these names, one on each line, to confirm" : "Type this name to confirm"), names),
    longer && [h("label", { for: "ask-longer" }, "How much longer"), longer],
    h("label", { for: "ask-reason" }, "Reason"), reason,
    by && [h("label", { for: "ask-by" }, "Your name"), by],
    trouble,
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => node.close() }, "Cancel"), submit));

  const typed = () => (names ? names.value.split(/[\n,]+/).map((name) => name.trim()).filter(Boolean) : []);
  const check = () => {
    const missing = (question.names || []).filter((name) => !typed().includes(name));
    names && names.setCustomValidity(missing.length ? `Not yet typed: ${missing.join(", ")}` : "");
    reason.setCustomValidity(reason.value.trim() ? "" : "Say why; it is kept with the event");
  };
  form.oninput = check;
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      if (by) remember(by.value.trim());
      await send(question.method, question.url, question.body({
        reason: reason.value.trim(), by: by ? by.value.trim() : "", longer: longer && longer.value.trim(), names: typed(),
      }));
      node.close();
    } catch (error) {
      trouble.hidden = false;
      trouble.textContent = printable(error.message);
    }
    submit.disabled = false;
  };
  node.replaceChildren(form);
  check();
  node.showModal();
  (names || reason).focus();
}

// send puts a decision to the API and fails with what it answered.
async function send(method, url, body) {
  let response;
  try {
    response = await fetch(url, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(15000) });
  } catch (error) {
    throw new Error(`The server did not answer (${error.message}). Look again before you repeat it.`);
  }
  if (response.ok) return;
  const problem = await response.json().catch(() => ({}));
  const details = (problem.errors || []).map((one) => one.message).filter((text) => text && text !== problem.detail);
  throw new Error([problem.detail || problem.title || `The server answered ${response.status}`, ...details].join(". "));
}

// A browser may refuse to keep anything; then the name is asked for each time.
function recall() {
  try { return localStorage.getItem(remembered) || ""; } catch { return ""; }
}

function remember(name) {
  try { localStorage.setItem(remembered, name); } catch { /* see recall */ }
}
