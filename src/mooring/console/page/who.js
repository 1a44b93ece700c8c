// Who looks at the board, and what the page offers them. The API decides what
// it takes.

import { h, fill } from "./dom.js";

let who = null;

// believed: the viewer is asked for a name, which the API believes.
export const believed = () => !who || who.how === "local";

// findOut asks the API who looks, shows it in a node, and leads those whom it
// does not know, and does not let look either, to the form for signing in.
export async function findOut(node) {
  let response;
  try {
    response = await fetch("/v1/whoami", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
  } catch { return; } // the stream says that the server is gone
  if (response.status === 401) return location.assign("/console/signin");
  if (!response.ok) return;
  who = await response.json();
  if (who.how === "nobody" && !who.roles.includes("auditor")) return location.assign("/console/signin");
  const signedIn = !["local", "certificate", "nobody"].includes(who.how);
  fill(node, who.how !== "local" && who.how !== "nobody" && h("span", { title: who.roles.join(", ") || "no role" }, who.name),
    signedIn && h("button", { type: "button", class: "plain", onclick: signOut }, "Sign out"),
    who.how === "nobody" && h("a", { href: "/console/signin" }, "Sign in"));
}

// refusal says to a viewer why no answer is offered.
export function refusal() {
  if (who?.how === "nobody") return "You may look, not answer. Sign in to act.";
  return who?.roles.length ? `You may look, not answer: as ${who.name} you are ${who.roles.join(", ")} here.` : "You may look, not answer.";
}

// actsForApps: the viewer is a developer, who may answer about some apps.
export const actsForApps = () => Boolean(who?.roles.some((role) => role.startsWith("developer:")));

async function signOut() {
  await fetch("/console/signout", { method: "POST" });
  location.assign("/console/signin");
}

// mayAnswer reports whether a developer may give an answer about an app.
export function mayAnswer(alert, verb) {
  if (!who || !alert.app || !["wait", "retry", "force"].includes(verb)) return false;
  const { org, space } = alert.app;
  return who.roles.some((role) => role === `developer:${org}` || role === `developer:${org}/${space}`);
}
