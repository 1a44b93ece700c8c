// Just enough to build elements, and to change what is shown into what should
// be without losing focus, selection or scroll position.

import { duration, printable } from "./text.js";

// h makes an element. Properties beginning with "on" are listeners, "style" is
// an object, false and null leave an attribute out.
export const h = (tag, props, ...children) => build(document.createElement(tag), props, children);

// svg makes an element of a drawing.
export const svg = (tag, props, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);

function build(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node[name] = value;
    else if (name === "style") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
    else node.setAttribute(name, value === true ? "" : shown(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (child === false || child === null || child === undefined || child === "") continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(shown(child));
  }
}

// shown is what is put on the page of a text; anything else stays as it is.
const shown = (value) => (typeof value === "string" ? printable(value) : value);

// task is the last that BOSH said of a host; nothing where it says nothing.
export const task = (said) => said && [`BOSH task ${said.id}`, said.last && [`, last: ${said.last} `, since(said.at), " ago"]];

// fill makes the children of a node be these, keeping nodes that are alike.
// Elements with a data-key are kept by it, others by place and tag.
export function fill(node, ...children) {
  const wanted = document.createElement("div");
  append(wanted, children);
  morphChildren(node, wanted);
}

function morphChildren(from, to) {
  const keyed = new Map();
  for (const child of from.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    const key = want.nodeType === Node.ELEMENT_NODE ? want.dataset.key : undefined;
    let have = key ? keyed.get(key) : alike(at, want) ? at : undefined;
    if (have && have.nodeName !== want.nodeName) have = undefined;
    if (!have) {
      from.insertBefore(want, at);
      continue;
    }
    if (have === at) at = at.nextSibling;
    else from.insertBefore(have, at);
    morph(have, want);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const alike = (have, want) => have && have.nodeName === want.nodeName && !(have.dataset && have.dataset.key);

function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  const kept = (name) => name === "open" && from.nodeName === "DETAILS"; // what a person opened or closed stays so
  for (const { name, value } of to.attributes) {
    if (kept(name)) continue;
    if (name === "style") {
      if (from.style.cssText !== to.style.cssText) from.style.cssText = to.style.cssText;
    } else if (from.getAttribute(name) !== value) {
      from.setAttribute(name, value);
      // What is shown in a field follows what it ought to hold only then: until
      // then a person may be typing.
      if (name === "value" && from.nodeName === "INPUT") from.value = value;
      if (name === "selected") from.selected = true;
    }
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept(name)) from.removeAttribute(name);
  }
  from.onclick = to.onclick;
  if (!from.hasAttribute("data-since")) morphChildren(from, to); // its text is tick's
}

// since is a moment that is shown as the time gone by; tick keeps it right.
export function since(moment, prefix = "") {
  return h("time", { datetime: moment, "data-since": Date.parse(moment), "data-prefix": prefix, title: new Date(moment).toLocaleString() },
    prefix + duration(Date.now() - Date.parse(moment)));
}
