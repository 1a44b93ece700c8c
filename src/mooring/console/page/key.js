// The key under the squares: what the signs inside them mean.

import { h, fill } from "./dom.js";
import { mark } from "./fleet.js";

const entries = [
  ["serving", "none", "serving"], ["disrupted", "none", "disrupted, with a permit"], ["down", "none", "down"], ["arriving", "none", "a replacement on its way"],
  ["none", "fixed", "fixed volume"], ["none", "floating", "floating volume"],
];

export function drawKey(node) {
  fill(node, h("span", { class: "label" }, "Inside a cell"), entries.map(([standing, volume, words]) => h("span", { class: "key-entry" }, mark(standing, volume), ` ${words}`)));
}
