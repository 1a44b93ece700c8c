(() => {
  const data = JSON.parse(document.getElementById("series").textContent);
  const canvas = document.getElementById("timeline"), tip = document.getElementById("tip"), range = document.getElementById("range");
  const end = Math.max(1, ...data.lines.map((l) => l.at), data.to.reduce((a, b) => Math.max(a, b), 0)) * 1.02;
  const rows = Math.max(1, data.cells.length);
  const view = newView(rows, end), picture = newPicture(canvas, data);
  let marked = -1, asked = false;

  // show draws once a frame, however much is asked for.
  function show() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      picture.draw(view, marked);
      const last = Math.min(data.cells.length, Math.ceil(view.r1));
      range.textContent = `${clock(view.t0)} to ${clock(view.t1)}, rows ${Math.min(data.cells.length, Math.floor(view.r0) + 1)} to ${last} of ${data.cells.length}`;
    });
  }

  const tell = (row) => {
    const g = picture.groupOf(row);
    return `${data.cells[row]}\n${g.az} ${g.domain}\n${clock(data.from[row])} to ${clock(data.to[row])}`;
  };

  function hint(text, x, y) {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.min(x + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(y + 14, innerHeight - tip.offsetHeight - 8)}px`;
  }

  // rowUnder finds the roll at a point, where a row is too thin to hit one near by.
  function rowUnder(event) {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    if (x < picture.area.x || y < picture.area.y) return -1;
    const t = picture.timeAt(view, x), at = picture.rowAt(view, y);
    const thin = (view.r1 - view.r0) / picture.area.h;
    for (let off = 0; off <= Math.max(0, 2 * thin); off++) {
      for (const row of [Math.floor(at) + off, Math.floor(at) - off]) {
        if (row >= 0 && row < data.cells.length && data.from[row] <= t && t <= data.to[row]) return row;
      }
    }
    return -1;
  }

  const deeds = {
    in: () => view.zoom(0.6, 1, ...view.middle()), out: () => view.zoom(1 / 0.6, 1, ...view.middle()),
    taller: () => view.zoom(1, 0.6, ...view.middle()), shorter: () => view.zoom(1, 1 / 0.6, ...view.middle()),
    all: () => { marked = -1; view.all(); },
    left: () => view.move(-(view.t1 - view.t0) / 5, 0), right: () => view.move((view.t1 - view.t0) / 5, 0),
    up: () => view.move(0, -(view.r1 - view.r0) / 5), down: () => view.move(0, (view.r1 - view.r0) / 5),
  };
  const keys = { "+": "in", "=": "in", "-": "out", "]": "taller", "[": "shorter", 0: "all", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
  const act = (deed) => { deeds[deed](); hint(""); show(); };
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => act(button.dataset.do));
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    act(keys[event.key]);
  });

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const t = picture.timeAt(view, event.clientX - box.left), r = picture.rowAt(view, event.clientY - box.top);
    const by = Math.exp((event.deltaY || event.deltaX) / 400);
    if (event.ctrlKey || event.metaKey) view.zoom(by, 1, t, r);
    else if (event.shiftKey) view.zoom(1, by, t, r);
    else view.move((event.deltaX / picture.area.w) * (view.t1 - view.t0), (event.deltaY / picture.area.h) * (view.r1 - view.r0));
    show();
  }, { passive: false });

  let held = null;
  canvas.addEventListener("pointerdown", (event) => { held = event; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (held) {
      view.move(((held.clientX - event.clientX) / picture.area.w) * (view.t1 - view.t0), ((held.clientY - event.clientY) / picture.area.h) * (view.r1 - view.r0));
      held = event;
      hint("");
      show();
      return;
    }
    const row = rowUnder(event);
    hint(row < 0 ? "" : tell(row), event.clientX, event.clientY);
  });
  canvas.addEventListener("pointerleave", () => hint(""));
  canvas.addEventListener("dblclick", () => act("all"));

  document.getElementById("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = new FormData(event.target).get("cell").trim();
    let row = data.cells.indexOf(wanted);
    if (row < 0 && wanted) row = data.cells.findIndex((id) => id.includes(wanted));
    if (row < 0) {
      range.textContent = `no cell of this plan is called ${wanted}`;
      return;
    }
    marked = row;
    const wide = Math.max(600, 4 * (data.to[row] - data.from[row])), middle = (data.from[row] + data.to[row]) / 2;
    view.set(middle - wide / 2, middle + wide / 2, row - 15, row + 15);
    show();
    const box = canvas.getBoundingClientRect();
    requestAnimationFrame(() => hint(tell(row), box.left + picture.area.x + picture.area.w / 2, box.top + picture.area.y + picture.area.h / 2));
  });

  new ResizeObserver(show).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
})();
