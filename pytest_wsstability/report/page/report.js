'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const rows = [...document.querySelectorAll('tr[data-hold]')];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const seconds = (value) => (value < 1 ? `${Number((value * 1000).toPrecision(3))} ms` : `${Number(value.toFixed(3))} s`);

  function element(name, { text, ...attributes } = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
  }

  function svg(name, attributes = {}, ...children) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // Lanes. An event is a base-36 number, the milliseconds since the one before, and a capital: what it was.

  const KINDS = {
    A: ['heartbeat', 'heartbeat sent'], B: ['heartbeat', 'heartbeat received'],
    C: ['heartbeat', 'answer received'], D: ['heartbeat', 'answer sent'],
    E: ['ping', 'ping sent'], F: ['ping', 'ping received'], G: ['ping', 'pong received'], H: ['ping', 'pong sent'],
    I: ['data', 'data sent'], J: ['data', 'data received'],
    K: ['session', 'session step sent'], L: ['session', 'session step received'],
    M: ['mark', 'close frame sent'], N: ['mark', 'close frame received'],
    P: ['mark', 'reading paused'], Q: ['mark', 'reading resumed'], R: ['mark', 'own event loop late'],
    S: ['mark', 'machine slept'], T: ['mark', 'read deadline ran out'], U: ['end', 'transport ended'],
    V: ['session', 'opened'], W: ['mark', 'other'],
  };
  const ROWS = { heartbeat: [2, 14], missed: [2, 14], ping: [18, 30], data: [34, 40], session: [42, 52], mark: [42, 52], end: [2, 52] };

  function decode(text) {
    const events = [];
    let at = 0;
    for (const [, gap, kind] of text.matchAll(/([0-9a-z]*)([A-Z])/g)) {
      at += gap ? parseInt(gap, 36) : 0;
      events.push([at / 1000, kind]);
    }
    return events;
  }

  // Heartbeats that nobody answered in time: an answer belongs to the youngest open one.
  function missed(events, within, age) {
    const open = [];
    const late = new Set();
    events.forEach(([at, kind], index) => {
      if (kind === 'A' || kind === 'B') open.push(index);
      if ((kind === 'C' || kind === 'D') && open.length) {
        const asked = open.pop();
        if (within !== null && at - events[asked][0] > within + 1e-9) late.add(asked);
      }
    });
    for (const index of open) if (within !== null && age - events[index][0] >= within) late.add(index);
    return late;
  }

  function drawLane({ end, age, events: packed }, within) {
    const events = decode(packed);
    const span = Math.max(age, 0.001);
    const late = missed(events, within, age);
    const paths = {};
    const x = (at) => ((at / span) * 1000).toFixed(1);
    let before = null;
    let silences = '';
    let last = null;
    events.forEach(([at, kind], index) => {
      const group = late.has(index) ? 'missed' : KINDS[kind][0];
      const key = `${group} ${x(at)}`;
      // What would be drawn over itself is drawn once.
      if (key !== last) paths[group] = `${paths[group] ?? ''}M${x(at)} ${ROWS[group][0]}V${ROWS[group][1]}`;
      last = key;
      if (before !== null && at - before > Math.max(1, span / 25)) silences += `M${x(before)} 56H${x(at)}`;
      before = at;
    });
    const drawn = svg('svg', { viewBox: '0 0 1000 60', preserveAspectRatio: 'none', role: 'img' },
      svg('path', { class: 'alive', d: `M0 56H${x(age)}` }), svg('path', { class: 'silence', d: silences }),
      ...Object.entries(paths).map(([group, d]) => svg('path', { class: group, d })));
    drawn.setAttribute('aria-label', `${end} end, ${events.length} events in ${seconds(age)}, ${late.size} heartbeats missed`);
    const said = element('output', { text: `${end} end, 0 to ${seconds(age)}; point at an event to read it` });
    drawn.addEventListener('pointermove', (event) => {
      const box = drawn.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * span;
      const nearest = events.reduce((best, each) => (Math.abs(each[0] - at) < Math.abs(best[0] - at) ? each : best), events[0]);
      if (nearest) said.textContent = `${end} end, +${nearest[0].toFixed(3)} s: ${KINDS[nearest[1]][1]}`;
    });
    return element('div', { class: 'lane' }, drawn, said);
  }

  function legend() {
    const names = { heartbeat: 'heartbeat', missed: 'missed', ping: 'ping, pong', data: 'data', session: 'session', mark: 'close, pause, lag', end: 'end' };
    return element('ul', { class: 'legend' }, ...Object.entries(names).map(([name, text]) => {
      const sign = element('i');
      sign.style.borderColor = getComputedStyle(document.documentElement)
        .getPropertyValue({ missed: '--unstable', end: '--unstable' }[name] ?? `--${name}`);
      return element('li', {}, sign, ` ${text}`);
    }));
  }

  function detail(hold) {
    const list = element('dl', {}, ...hold.facts.flatMap(([name, text]) => [element('dt', { text: name }), element('dd', { text })]));
    const cell = element('td', { colspan: 7 }, list, ...hold.lanes.map((lane) => drawLane(lane, hold.within)));
    if (hold.lanes.length) cell.append(legend());
    return element('tr', { class: 'detail' }, cell);
  }

  function toggle(row) {
    const button = row.querySelector('button');
    const open = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(detail(data.holds[row.dataset.hold]));
  }

  // Charts.

  function chart(id, options, values) {
    const target = document.getElementById(id);
    if (values[0].length === 0) { target.remove(); return; }
    const axis = { stroke: colour('text'), grid: { stroke: colour('line') }, ticks: { stroke: colour('line') } };
    const axes = options.axes.map((each) => ({ ...axis, ...each }));
    const width = () => Math.max(240, target.parentElement.clientWidth - 24);
    const made = new uPlot({ width: width(), height: 220, cursor: { drag: { x: true } }, legend: { show: false }, ...options, axes }, values, target);
    addEventListener('resize', () => made.setSize({ width: width(), height: 220 }));
  }

  function charts() {
    const scales = { x: { time: false } };
    chart('survival', {
      scales: { ...scales, y: { range: [0, 1] } },
      axes: [{ label: 'age in seconds' }, { label: 'share', values: (_, ticks) => ticks.map((tick) => `${Math.round(tick * 100)} %`), size: 60 }],
      series: [{}, { stroke: colour('stable'), width: 2, paths: uPlot.paths.stepped({ align: 1 }) }],
    }, data.survival);
    chart('rtts', {
      scales,
      axes: [{ label: 'age in seconds' }, { label: 'milliseconds', size: 60 }],
      series: [{}, { stroke: colour('ping'), paths: () => null, points: { show: true, size: 4, fill: colour('ping') } }],
    }, data.rtts);
  }

  // Filter.

  function filter() {
    const wanted = new Set([...document.querySelectorAll('input[name=outcome]:checked')].map((box) => box.value));
    const words = document.getElementById('find').value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const hidden = !wanted.has(row.dataset.outcome) || !words.every((word) => text.includes(word));
      row.hidden = hidden;
      if (row.nextElementSibling?.classList.contains('detail')) row.nextElementSibling.hidden = hidden;
      shown += !hidden;
    }
    document.getElementById('shown').textContent = `${shown} of ${rows.length}`;
  }

  for (const row of rows) row.querySelector('button').addEventListener('click', () => toggle(row));
  document.getElementById('filter').addEventListener('input', filter);
  document.getElementById('filter').addEventListener('submit', (event) => event.preventDefault());
  // The table is there first; charts may follow.
  requestAnimationFrame(() => setTimeout(charts));
})();
