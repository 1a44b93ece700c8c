// Gives what of the page cannot be read or used by everybody, one sentence
// for each: WCAG 2.2 as far as a script can judge it.
(() => {
  const faults = [];
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !node.closest(".hidden, .skip");
  const say = (node) => node.outerHTML.slice(0, 120);

  // Names (4.1.2), references, focus order (2.4.3), structure (1.3.1).
  const byId = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id));
  const nameOf = (node) => {
    const labelled = node.getAttribute("aria-labelledby");
    if (labelled) return byId(labelled).map((other) => other?.textContent || "").join(" ");
    return node.getAttribute("aria-label") || [...(node.labels || [])].map((label) => label.textContent).join(" ") ||
      (/^(INPUT|TEXTAREA|SELECT)$/.test(node.nodeName) ? "" : node.textContent) || node.title;
  };
  for (const node of document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=img], [role=region], [role=group], [tabindex='0'], dialog[open]")) {
    if (shown(node) && !nameOf(node).trim()) faults.push(`no name: ${say(node)}`);
  }
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
    for (const node of document.querySelectorAll(`[${name}]`)) {
      if (shown(node) && byId(node.getAttribute(name)).includes(null)) faults.push(`${name} leads nowhere: ${node.getAttribute(name)}`);
    }
  }
  for (const node of document.querySelectorAll("[tabindex]")) if (node.tabIndex > 0) faults.push(`tabindex ${node.tabIndex} changes the order: ${say(node)}`);
  const ids = new Set();
  for (const { id } of document.querySelectorAll("[id]")) {
    if (ids.has(id)) faults.push(`id ${id} is used twice`);
    ids.add(id);
  }
  if (!document.documentElement.lang || !document.title) faults.push("the page has no language or no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("the page has not one main part");
  let level = 0;
  for (const node of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!node.checkVisibility()) continue;
    const next = Number(node.nodeName[1]);
    if (level && next > level + 1) faults.push(`h${next} after h${level}: ${node.textContent}`);
    level = next;
  }

  // Contrast (1.4.3) of every text with everything that may be behind it.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  const behind = (node) => {
    let colours = [parse("Canvas")], opacity = 1;
    const chain = [];
    // What is in the top layer stands on nothing but itself.
    for (let at = node; at; at = at.nodeName === "DIALOG" ? null : at.parentElement) chain.unshift(at);
    for (const at of chain) {
      const style = getComputedStyle(at);
      opacity *= Number(style.opacity);
      const own = parse(style.backgroundColor);
      if (own[3] > 0) colours = colours.map((under) => over(own, under));
      const stops = style.backgroundImage.match(/(rgba?|color|oklch|oklab)\([^()]*\)/g);
      if (stops) colours = stops.flatMap((stop) => colours.map((under) => over(parse(stop), under)));
    }
    return { colours, opacity };
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), node = texts.currentNode.parentElement;
    if (!text || !shown(node) || node.closest(":disabled, noscript, script, style, datalist, option")) continue;
    const style = getComputedStyle(node), size = parseFloat(style.fontSize);
    const { colours, opacity } = behind(node);
    const colour = parse(style.color);
    const least = Math.min(...colours.map((under) => contrast(over([...colour.slice(0, 3), colour[3] * opacity], under), under)));
    const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const key = `${node.className}|${style.color}|${colours.join()}`;
    if (least < wanted && !seen.has(key)) {
      seen.add(key);
      faults.push(`contrast ${least.toFixed(2)} of ${text.slice(0, 40)}: ${say(node)}`);
    }
  }
  return faults;
})()
