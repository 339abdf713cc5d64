'use strict';
// The chart: lanes over virtual time. It draws what is in sight, and what would overlap as one mark, so that ten thousand events are some
// hundred shapes. It knows nothing of recovery: what there is to see, and in which words, is in the view.

const TONES = ['routine', 'notable', 'again', 'bad', 'fault'];

/** `1.234s`: cut to milliseconds, as everywhere in a report; finer where the axis is. */
function seconds(micros, digits = 3) {
  const unit = 10 ** (6 - digits);
  const cut = Math.floor(micros / unit + 1e-9) * unit;
  return (cut / 1e6).toFixed(digits) + 's';
}

/** Where in `sorted` the first time is that is not before `t`. */
function firstFrom(sorted, timeOf, t) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(sorted[middle]) < t) low = middle + 1; else high = middle;
  }
  return low;
}

/** A chart in `root`; `onChoose` hears which item was chosen, and which others its mark stands for. */
function makeChart(view, root, onChoose) {
  const svg = root.querySelector('svg');
  const GUTTER = 112, RIGHT = 14, AXIS = 24, OVERVIEW = 36, APART = 11;
  const SHORTEST = 500, WHOLE = view.end * 1.01;
  const items = view.items;
  const lanes = view.lanes.map((lane) => {
    const here = (it) => it.lane === lane.id;
    const sorted = items.map((_, index) => index).filter((index) => here(items[index]));
    sorted.sort((a, b) => items[a].t - items[b].t || a - b);
    const byTime = (list) => list.filter(here).sort((a, b) => a.t - b.t);
    return { ...lane, sorted, calm: byTime(view.calm), steps: byTime(view.steps), spans: view.spans.filter(here) };
  });
  const state = { from: 0, to: WHOLE, chosen: -1, calm: true, steps: false };
  let width = 1000, height = 400, drawn = [], waiting = false;

  const x = (t) => GUTTER + ((t - state.from) / (state.to - state.from)) * (width - GUTTER - RIGHT);
  const timeAt = (px) => state.from + ((px - GUTTER) / (width - GUTTER - RIGHT)) * (state.to - state.from);
  const overviewX = (t) => GUTTER + (t / WHOLE) * (width - GUTTER - RIGHT);

  function shape(name, attributes, title) {
    const element = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (title) {
      const text = document.createElementNS(svg.namespaceURI, 'title');
      text.textContent = title;
      element.append(text);
    }
    return element;
  }

  function label(px, py, text, attributes = {}) {
    const element = shape('text', { x: px, y: py, ...attributes });
    element.textContent = text;
    return element;
  }

  function laneHeight(lane) {
    if (lane.id === 'faults') return 32;
    if (lane.id === 'lives') return lane.spans.some((span) => span.row > 0) ? 66 : 44;
    return state.calm && view.calm.length ? 44 : 32;
  }

  /** The marks of a lane: items that would overlap are one. */
  function clusters(lane) {
    const found = [];
    const margin = ((state.to - state.from) / width) * APART;
    let at = firstFrom(lane.sorted, (index) => items[index].t, state.from - margin);
    for (; at < lane.sorted.length; at++) {
      const index = lane.sorted[at];
      const px = x(items[index].t);
      if (px > width - RIGHT + 1) break;
      const last = found[found.length - 1];
      if (last && px - last.x < APART) last.items.push(index); else found.push({ x: px, items: [index] });
    }
    for (const cluster of found) {
      // What a reader should see first stands for the others.
      cluster.first = cluster.items.reduce((best, index) =>
        (TONES.indexOf(items[index].tone) > TONES.indexOf(items[best].tone) ? index : best));
    }
    return found;
  }

  /** The number of a fault's mark, or that it stands for several. */
  function numberOf(cluster) {
    return cluster.items.length > 1 ? '+' : String(items[cluster.first].fault + 1);
  }

  /** A shape for each tone, so that no meaning is in the colour alone. */
  function markOf(cluster, y) {
    const tone = items[cluster.first].tone;
    const many = cluster.items.length;
    const r = many === 1 ? 4.2 : Math.min(4.8 + Math.log2(many) * 0.35, 6.4);
    const px = cluster.x;
    const title = many === 1 ? words(cluster.first) : `${many} here; ${words(cluster.first)}`;
    const named = { class: 'mark ' + tone };
    if (tone === 'routine') return shape('circle', { ...named, cx: px, cy: y, r }, title);
    const wide = tone === 'fault' && numberOf(cluster).length > 1 ? 5 : 0;
    const corners = {
      notable: [[0, -r - 1], [r + 1, 0], [0, r + 1], [-r - 1, 0]],
      again: [[-r, -r], [r, -r], [r, r], [-r, r]],
      fault: [[-r - 4 - wide, -r - 3], [r + 4 + wide, -r - 3], [0, r + 5]],
      bad: [[0, -r - 1.5], [r + 1, r], [-r - 1, r]],
    }[tone];
    return shape('polygon', { ...named, points: corners.map(([dx, dy]) => `${px + dx},${y + dy}`).join(' ') }, title);
  }

  function words(index) {
    const item = items[index];
    const life = item.life ? `, life ${item.life}` : '';
    return `${seconds(item.t)}${life}: ${item.verb} ${item.text}`;
  }

  function drawAxis(into, bottom) {
    const perPixel = (state.to - state.from) / (width - GUTTER - RIGHT);
    const digits = Math.ceil(Math.log10(perPixel * 90));
    const step = [1, 2, 5, 10].map((n) => n * 10 ** (digits - 1)).find((step) => step >= perPixel * 90);
    const decimals = Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step) + 1e-9)));
    for (let n = Math.ceil(state.from / step); n * step <= state.to; n++) {
      const px = x(n * step);
      into.append(shape('line', { class: 'grid', x1: px, x2: px, y1: AXIS, y2: bottom }));
      into.append(label(px, 15, seconds(n * step, decimals), { 'text-anchor': 'middle' }));
    }
  }

  function drawBands(into, bottom) {
    const marks = clusters(lanes.find((lane) => lane.id === 'faults')).map((cluster) => cluster.x);
    const named = [];
    /** In words where there is room: neither a fault's mark nor other words are there. */
    const name = (band, left, right, y) => {
      const from = left + (marks.some((mark) => Math.abs(mark - left) < 12) ? 14 : 5);
      const to = from + band.label.length * 5.8;
      const isTaken = marks.some((mark) => mark > from - 12 && mark < to + 12)
        || named.some((other) => other.y === y && other.from < to + 8 && from < other.to + 8);
      if (to > right - 3 || isTaken) return;
      named.push({ from, to, y });
      into.append(label(from, y, band.label, { class: 'band-name' }));
    };
    for (const band of view.bands) {
      if (band.to < state.from || band.from > state.to) continue;
      const [left, right] = [Math.max(x(band.from), GUTTER), Math.min(x(band.to), width - RIGHT)];
      into.append(shape('rect', { class: 'band ' + band.kind, x: left, y: AXIS, width: Math.max(right - left, 1),
        height: bottom - AXIS }, band.label));
      // Those of faults stand higher, since they may overlap the others.
      const y = AXIS + (band.kind === 'fault' ? 10 : 25);
      if (band.kind === 'fault') into.append(shape('rect', { class: 'span fault', x: left, y: AXIS + 28, width: Math.max(right - left, 1.5), height: 3 }, band.label));
      name(band, left, right, y);
    }
  }

  function drawSpans(into, lane, top) {
    for (const span of lane.spans) {
      if (span.to < state.from || span.from > state.to) continue;
      const [left, right] = [Math.max(x(span.from), GUTTER), Math.min(x(span.to), width - RIGHT)];
      const y = top + 23 + 20 * span.row;
      into.append(shape('rect', { class: 'span ' + span.kind, x: left, y, width: Math.max(right - left, 1.5), height: 5,
        rx: 1.5 }, span.about));
      const above = span.kind === 'life' && right - left > 44;
      if (above) into.append(label(left + 3, y + 16, span.label));
    }
  }

  /** Small things at one height: at most one a few pixels. */
  function drawSmall(into, list, apart, draw) {
    let last = -Infinity;
    for (let at = firstFrom(list, (it) => it.t, state.from); at < list.length && list[at].t <= state.to; at++) {
      const px = x(list[at].t);
      if (px - last < apart) continue;
      last = px;
      into.append(draw(px, list[at]));
    }
  }

  function drawLane(into, lane, top) {
    const bottom = top + laneHeight(lane);
    const chosen = state.chosen >= 0 && items[state.chosen].lane === lane.id;
    into.append(shape('line', { class: 'separator', x1: 0, x2: width, y1: bottom, y2: bottom }));
    into.append(label(10, top + 19, lane.name, { class: 'lane-name' + (chosen ? ' chosen-lane' : '') }));
    if (state.calm && lane.calm.length && lane.id !== 'lives') {
      into.append(label(10, top + 37, 'without faults'));
      drawSmall(into, lane.calm, 6, (px, mark) => shape('circle', { class: 'calm', cx: px, cy: top + 36, r: 2.6 },
        `without faults, ${seconds(mark.t)}: ${mark.verb} ${mark.text}`));
    }
    drawSpans(into, lane, top);
    if (state.steps) {
      drawSmall(into, lane.steps, 2, (px, step) => shape('line', { class: 'step', x1: px, x2: px, y1: top + 1,
        y2: top + 7 }, `${seconds(step.t)}: ${step.verb}, ${step.text}`));
    }
    const y = top + 15;
    for (const cluster of clusters(lane)) {
      into.append(markOf(cluster, y));
      if (lane.id === 'faults') {
        const number = numberOf(cluster);
        into.append(label(cluster.x, y + (number.length > 1 ? 1 : 2), number, { class: number.length > 1 ? 'flag long' : 'flag' }));
      }
      if (cluster.items.includes(state.chosen)) into.append(shape('circle', { class: 'ring', cx: cluster.x, cy: y, r: lane.id === 'faults' ? 13 : 10 }));
      drawn.push({ ...cluster, y, lane: lane.id, top, bottom });
    }
  }

  function drawOverview(into, top) {
    const bins = new Array(160).fill(0);
    for (const item of items) bins[Math.min(159, Math.floor((item.t / WHOLE) * 160))]++;
    const most = Math.log2(1 + Math.max(...bins)), each = (width - GUTTER - RIGHT) / 160;
    into.append(label(10, top + 22, 'whole run'));
    bins.forEach((count, n) => {
      const tall = most ? (Math.log2(1 + count) / most) * (OVERVIEW - 12) : 0;
      if (count) into.append(shape('rect', { class: 'density', x: GUTTER + n * each, y: top + OVERVIEW - 4 - tall, width: each, height: tall }));
    });
    for (const fault of view.faults) {
      if (fault.item === null) continue;
      const px = overviewX(items[fault.item].t);
      into.append(shape('line', { class: 'fault-line', x1: px, x2: px, y1: top + 2, y2: top + OVERVIEW - 2 }));
    }
    const left = overviewX(state.from);
    into.append(shape('rect', { class: 'window', x: left, y: top + 2, width: Math.max(overviewX(state.to) - left, 3), height: OVERVIEW - 4, rx: 3 }));
  }

  function draw() {
    waiting = false;
    width = Math.max(root.clientWidth, 360);
    const lanesBottom = AXIS + lanes.reduce((sum, lane) => sum + laneHeight(lane), 0);
    height = lanesBottom + OVERVIEW;
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('height', height);
    drawn = [];
    const all = document.createDocumentFragment();
    drawBands(all, lanesBottom);
    all.append(shape('rect', { class: 'gutter', x: 0, y: 0, width: GUTTER - 10, height }));
    drawAxis(all, lanesBottom);
    for (const fault of view.faults) {
      if (fault.item === null) continue;
      const px = x(items[fault.item].t);
      if (px >= GUTTER && px <= width - RIGHT) all.append(shape('line', { class: 'fault-line', x1: px, x2: px, y1: AXIS + 20, y2: lanesBottom }));
    }
    if (state.chosen >= 0) {
      const px = x(items[state.chosen].t);
      if (px >= GUTTER - 1 && px <= width - RIGHT + 1) all.append(shape('line', { class: 'cursor', x1: px, x2: px, y1: AXIS, y2: lanesBottom }));
    }
    let top = AXIS;
    for (const lane of lanes) {
      drawLane(all, lane, top);
      top += laneHeight(lane);
    }
    drawOverview(all, lanesBottom);
    svg.replaceChildren(all);
    root.dataset.shapes = svg.childElementCount;
  }

  function redraw() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  function show(from, to) {
    const long = Math.min(Math.max(to - from, SHORTEST), WHOLE);
    state.from = Math.min(Math.max(from, 0), WHOLE - long);
    state.to = state.from + long;
    redraw();
  }

  function zoom(factor, about = (state.from + state.to) / 2) {
    const long = Math.min(Math.max((state.to - state.from) * factor, SHORTEST), WHOLE);
    const share = (about - state.from) / (state.to - state.from);
    show(about - share * long, about - share * long + long);
  }

  function pan(share) {
    const by = (state.to - state.from) * share;
    show(state.from + by, state.to + by);
  }

  /** Chooses an item, brings it into sight, and tells the page. */
  function choose(index, near = [index]) {
    state.chosen = index;
    const t = items[index].t, long = state.to - state.from;
    if (t < state.from || t > state.to) show(t - long / 2, t + long / 2);
    redraw();
    onChoose(index, near, words(index));
  }

  /** Chooses an item by one's own hand: close enough to see what is around it. */
  function reveal(index) {
    const long = Math.min(state.to - state.from, Math.max(view.end / 12, 400000));
    show(items[index].t - long / 2, items[index].t + long / 2);
    choose(index);
  }

  function laneOfChosen() {
    const chosen = state.chosen >= 0 ? items[state.chosen].lane : null;
    return Math.max(lanes.findIndex((lane) => (chosen ? lane.id === chosen : lane.sorted.length)), 0);
  }

  function along(by) {
    const lane = lanes[laneOfChosen()];
    const at = lane.sorted.indexOf(state.chosen);
    const next = at < 0 ? firstFrom(lane.sorted, (index) => items[index].t, state.from) : at + by;
    if (lane.sorted.length) choose(lane.sorted[Math.min(Math.max(next, 0), lane.sorted.length - 1)]);
  }

  /** The nearest item of the next lane that has any. */
  function across(by) {
    if (state.chosen < 0) return along(0);
    const t = items[state.chosen].t;
    for (let n = laneOfChosen() + by; n >= 0 && n < lanes.length; n += by) {
      const { sorted } = lanes[n];
      if (!sorted.length) continue;
      const at = firstFrom(sorted, (index) => items[index].t, t);
      const around = [sorted[at - 1], sorted[at]].filter((index) => index !== undefined);
      return choose(around.reduce((a, b) => (Math.abs(items[b].t - t) < Math.abs(items[a].t - t) ? b : a)));
    }
  }

  function toFault(by) {
    const { sorted } = lanes.find((lane) => lane.id === 'faults');
    if (!sorted.length) return;
    const at = sorted.indexOf(state.chosen);
    const t = state.chosen >= 0 ? items[state.chosen].t : -1;
    const after = firstFrom(sorted, (index) => items[index].t, t);
    const next = at >= 0 ? at + by : by > 0 ? after : after - 1;
    reveal(sorted[(next + sorted.length) % sorted.length]);
  }

  function end(last) {
    const { sorted } = lanes[laneOfChosen()];
    if (sorted.length) choose(sorted[last ? sorted.length - 1 : 0]);
  }

  root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const about = state.chosen >= 0 ? items[state.chosen].t : undefined;
    const keys = {
      ArrowLeft: () => (event.shiftKey ? pan(-0.2) : along(-1)),
      ArrowRight: () => (event.shiftKey ? pan(0.2) : along(1)),
      ArrowUp: () => across(-1),
      ArrowDown: () => across(1),
      Home: () => end(false),
      End: () => end(true),
      '+': () => zoom(0.5, about),
      '=': () => zoom(0.5, about),
      '-': () => zoom(2, about),
      0: () => show(0, WHOLE),
      f: () => toFault(1),
      F: () => toFault(-1),
      Enter: () => state.chosen >= 0 && document.getElementById('details').focus(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  function pointed(event) {
    const box = svg.getBoundingClientRect();
    const scale = width / box.width;
    return { px: (event.clientX - box.left) * scale, py: (event.clientY - box.top) * scale };
  }

  function click(px, py) {
    const close = (mark) => Math.abs(mark.x - px);
    const here = drawn.filter((mark) => py >= mark.top && py < mark.bottom && close(mark) < 16);
    if (here.length) {
      const mark = here.reduce((a, b) => (close(b) < close(a) ? b : a));
      choose(mark.first, mark.items);
    }
  }

  let drag = null;
  const overviewTo = (px) => {
    const t = ((px - GUTTER) / (width - GUTTER - RIGHT)) * WHOLE, half = (state.to - state.from) / 2;
    show(t - half, t + half);
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const { px, py } = pointed(event);
    drag = { px, py, from: state.from, moved: false, overview: py > height - OVERVIEW };
    svg.setPointerCapture(event.pointerId);
    if (drag.overview) overviewTo(px);
  });
  svg.addEventListener('pointermove', (event) => {
    if (!drag) return;
    const { px } = pointed(event);
    drag.moved ||= Math.abs(px - drag.px) > 3;
    if (!drag.moved) return;
    svg.classList.add('pans');
    if (drag.overview) return overviewTo(px);
    const long = state.to - state.from;
    const from = drag.from - ((px - drag.px) / (width - GUTTER - RIGHT)) * long;
    show(from, from + long);
  });
  svg.addEventListener('pointerup', () => {
    if (drag && !drag.moved && !drag.overview) click(drag.px, drag.py);
    drag = null;
    svg.classList.remove('pans');
  });
  svg.addEventListener('pointercancel', () => { drag = null; });
  svg.addEventListener('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.003), timeAt(pointed(event).px));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan((event.deltaX || event.deltaY) / width);
    }
  }, { passive: false });

  new ResizeObserver(redraw).observe(root);
  draw();
  return {
    reveal,
    choose,
    toFault,
    zoom: (factor) => zoom(factor, state.chosen >= 0 ? items[state.chosen].t : undefined),
    fit: () => show(0, WHOLE),
    showAll: (indices) => {
      const times = indices.map((index) => items[index].t);
      const [from, to] = [Math.min(...times), Math.max(...times)];
      const margin = Math.max((to - from) * 0.15, SHORTEST);
      show(from - margin, to + margin);
    },
    set: (what, on) => { state[what] = on; redraw(); },
  };
}
