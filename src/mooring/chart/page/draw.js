// The picture: an axis of time, how many roll at once, and below a bar for each
// cell, by AZ and update domain.
const GUTTER = 150, AXIS = 22, CROWD = 64;
const HUES = [212, 28, 150, 268, 340, 90];

const clock = (s) => {
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}`;
};

// crowd gives the moments at which the number in roll changes, and the number.
function crowd(from, to) {
  const changes = from.map((t) => [t, 1]).concat(to.map((t) => [t, -1])).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const steps = [];
  let now = 0;
  for (const [t, change] of changes) {
    now += change;
    if (steps.length && steps[steps.length - 1][0] === t) steps[steps.length - 1][1] = now;
    else steps.push([t, now]);
  }
  return steps;
}

// tick is a step of the axis that people count in.
function tick(span, width) {
  const wanted = span / Math.max(2, width / 90);
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].find((s) => s >= wanted) || 172800;
}

function newPicture(canvas, data) {
  const ink = canvas.getContext("2d");
  const steps = crowd(data.from, data.to);
  const most = steps.reduce((most, step) => Math.max(most, step[1]), 1);
  const groupOf = [];
  const zones = [...new Set(data.groups.map((g) => g.az))];
  let first = 0;
  data.groups.forEach((g, i) => {
    g.first = first;
    g.color = `hsl(${HUES[zones.indexOf(g.az) % HUES.length]} 55% ${i % 2 ? 47 : 58}%)`;
    for (let n = 0; n < g.cells; n++) groupOf.push(i);
    first += g.cells;
  });

  const area = { x: GUTTER, y: AXIS + CROWD, w: 0, h: 0 };
  const picture = { area };
  picture.timeAt = (view, x) => view.t0 + ((x - area.x) / area.w) * (view.t1 - view.t0);
  picture.rowAt = (view, y) => view.r0 + ((y - area.y) / area.h) * (view.r1 - view.r0);
  picture.groupOf = (row) => data.groups[groupOf[row]];

  picture.draw = (view, marked) => {
    const scale = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    area.w = box.width - GUTTER - 8;
    area.h = box.height - AXIS - CROWD - 4;
    const style = getComputedStyle(document.documentElement);
    const tone = { ink: style.color, line: "", faint: "" };
    const body = getComputedStyle(document.body);
    tone.ink = body.color;
    tone.faint = getComputedStyle(document.querySelector(".hint")).color;
    tone.line = getComputedStyle(canvas).borderTopColor;
    ink.font = "12px system-ui, sans-serif";
    ink.textBaseline = "middle";
    const x = (t) => area.x + ((t - view.t0) / (view.t1 - view.t0)) * area.w;
    const y = (r) => area.y + ((r - view.r0) / (view.r1 - view.r0)) * area.h;
    axis(view, x, tone, box.height);
    together(view, x, tone);
    names(view, y, tone);
    ink.save();
    ink.beginPath();
    ink.rect(area.x, area.y, area.w, area.h);
    ink.clip();
    bars(view, x, y, tone, marked);
    ink.restore();
    lines(view, x, tone, box.height);
  };

  function axis(view, x, tone, height) {
    const step = tick(view.t1 - view.t0, area.w);
    ink.textAlign = "center";
    for (let t = Math.ceil(view.t0 / step) * step; t <= view.t1; t += step) {
      ink.fillStyle = tone.line;
      ink.fillRect(Math.round(x(t)), AXIS, 1, height - AXIS);
      ink.fillStyle = tone.faint;
      ink.fillText(clock(t), Math.min(Math.max(x(t), area.x + 20), area.x + area.w - 20), AXIS / 2);
    }
  }

  function together(view, x, tone) {
    const base = AXIS + CROWD - 6, tall = CROWD - 16;
    ink.save();
    ink.beginPath();
    ink.rect(area.x, AXIS, area.w, CROWD);
    ink.clip();
    ink.beginPath();
    ink.moveTo(x(0), base);
    let before = 0;
    for (const [t, n] of steps) {
      ink.lineTo(x(t), base - (before / most) * tall);
      ink.lineTo(x(t), base - (n / most) * tall);
      before = n;
    }
    ink.globalAlpha = 0.35;
    ink.fillStyle = tone.ink;
    ink.fill();
    ink.restore();
    ink.textAlign = "left";
    ink.fillStyle = tone.faint;
    ink.fillText(`at once, up to ${most}`, 8, AXIS + CROWD / 2);
  }

  function names(view, y, tone) {
    ink.textAlign = "left";
    const height = area.h / (view.r1 - view.r0);
    let zone = "", free = -Infinity;
    for (const g of data.groups) {
      const top = Math.max(y(g.first), area.y), bottom = Math.min(y(g.first + g.cells), area.y + area.h);
      if (bottom <= top) continue;
      ink.fillStyle = tone.line;
      ink.fillRect(g.az === zone ? 40 : 0, Math.round(top), area.x + area.w, 1);
      const middle = Math.max(top, free) + 8;
      if (g.az !== zone) {
        zone = g.az;
        ink.fillStyle = tone.ink;
        ink.fillText(g.az, 8, Math.min(middle, area.y + area.h - 8));
      }
      if (height < 11 && bottom - Math.max(top, free) >= 13) {
        ink.fillStyle = tone.faint;
        ink.fillText(g.domain, 56, middle, GUTTER - 62);
        free = middle + 7;
      }
    }
    if (height < 11) return;
    ink.fillStyle = tone.faint;
    for (let r = Math.max(0, Math.floor(view.r0)); r < Math.min(data.cells.length, view.r1); r++) {
      const middle = y(r + 0.5);
      if (middle > area.y + 4 && middle < area.y + area.h - 4) ink.fillText(data.cells[r], 56, middle, GUTTER - 62);
    }
  }

  function bars(view, x, y, tone, marked) {
    const height = area.h / (view.r1 - view.r0), gap = height > 6 ? 1 : 0;
    for (let r = Math.max(0, Math.floor(view.r0)); r < Math.min(data.cells.length, view.r1); r++) {
      if (data.to[r] < view.t0 || data.from[r] > view.t1) continue;
      const left = x(data.from[r]);
      ink.fillStyle = r === marked ? tone.ink : data.groups[groupOf[r]].color;
      ink.fillRect(left, y(r) + gap, Math.max(1, x(data.to[r]) - left), Math.max(1, height - 2 * gap));
    }
  }

  function lines(view, x, tone, height) {
    ink.textAlign = "right";
    data.lines.forEach((line, i) => {
      if (line.at < view.t0 || line.at > view.t1) return;
      ink.fillStyle = tone.ink;
      ink.fillRect(Math.round(x(line.at)), AXIS, 1, height - AXIS);
      ink.fillText(line.name, x(line.at) - 4, AXIS + 8 + 14 * i);
    });
  }
  return picture;
}
