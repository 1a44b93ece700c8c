// view is the part of the timeline that is looked at: seconds across, rows
// (numbers of cells) down. It knows nothing of pixels.
function newView(rows, end) {
  const least = { time: Math.min(end, 60), rows: Math.min(rows, 8) };
  const view = { t0: 0, t1: end, r0: 0, r1: rows };

  // fit moves a span into [0, whole], keeping its length where that goes.
  function fit(from, to, least, whole) {
    const length = Math.min(Math.max(to - from, least), whole);
    const at = Math.min(Math.max(from, 0), whole - length);
    return [at, at + length];
  }
  view.set = (t0, t1, r0, r1) => {
    [view.t0, view.t1] = fit(t0, t1, least.time, end);
    [view.r0, view.r1] = fit(r0, r1, least.rows, rows);
  };
  view.all = () => view.set(0, end, 0, rows);
  view.move = (time, lines) => view.set(view.t0 + time, view.t1 + time, view.r0 + lines, view.r1 + lines);
  // zoom scales about a point, so that what is under the pointer stays there.
  view.zoom = (time, lines, t, r) => {
    view.set(t - (t - view.t0) * time, t + (view.t1 - t) * time, r - (r - view.r0) * lines, r + (view.r1 - r) * lines);
  };
  view.middle = () => [(view.t0 + view.t1) / 2, (view.r0 + view.r1) / 2];
  return view;
}
