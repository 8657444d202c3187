'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const rows = [...document.querySelectorAll('tr[data-hold]')];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const number = (value) => String(Number(value.toPrecision(3)));

  // As everywhere in the tool: 0.4 ms, 25 s; long ages in minutes and hours.
  function seconds(value) {
    if (value === 0) return '0 s';
    if (value < 1) return `${number(value * 1000)} ms`;
    if (value >= 3600 && value % 900 === 0) return `${value / 3600} h`;
    if (value >= 300 && value % 60 === 0) return `${value / 60} min`;
    return `${Number(value.toFixed(3))} s`;
  }

  function element(name, { text, ...attributes } = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
  }

  function svg(name, { text, ...attributes } = {}, ...children) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    made.append(...children);
    return made;
  }

  // Lanes. An event is a base-36 number, the milliseconds since the one before, and a capital: what it was.

  const KINDS = {
    A: ['beat', 'heartbeat sent'], B: ['beat', 'heartbeat received'],
    C: ['beat', 'answer received'], D: ['beat', 'answer sent'],
    E: ['ping', 'ping sent'], F: ['ping', 'ping received'], G: ['ping', 'pong received'], H: ['ping', 'pong sent'],
    I: ['data', 'message sent'], J: ['data', 'message received'],
    K: ['session', 'session step sent'], L: ['session', 'session step received'],
    M: ['mark', 'close frame sent'], N: ['mark', 'close frame received'],
    P: ['mark', 'reading paused'], Q: ['mark', 'reading resumed'], R: ['mark', 'own event loop late'],
    S: ['mark', 'machine slept'], T: ['mark', 'read deadline ran out'], U: ['end', 'transport ended'],
    V: ['session', 'opened'], W: ['mark', 'other'],
    X: ['beat', 'heartbeat sent'], Y: ['beat', 'heartbeat received'],
  };
  // What is asked, and what answers it: by the other end. Nothing answers one-way heartbeats (X, Y).
  const ANSWERS = { A: 'C', B: 'D', E: 'G', F: 'H' };
  const LANES = [['beat', 'heartbeats'], ['ping', 'pings'], ['data', 'messages']];
  const GUTTER = 104;
  const RIGHT = 76;
  const ROW = 20;

  function decode(text) {
    const events = [];
    let at = 0;
    for (const [, gap, kind] of text.matchAll(/([0-9a-z]*)([A-Z])/g)) {
      at += gap ? parseInt(gap, 36) : 0;
      events.push({ at: at / 1000, kind });
    }
    return events;
  }

  // Each question with its answer: an answer belongs to the youngest open one. A heartbeat that had time left
  // when the record ended is open, and not missed; one that came late is missed.
  function questions(events, within, age) {
    const found = [];
    for (const [asks, answers] of Object.entries(ANSWERS)) {
      const open = [];
      for (const event of events) {
        if (event.kind === asks) {
          const question = { event, answer: null, lane: KINDS[asks][0] };
          open.push(question);
          found.push(question);
        } else if (event.kind === answers && open.length) {
          const question = open.pop();
          question.answer = event;
          event.answers = question.event;
          question.event.answer = event;
        }
      }
    }
    for (const each of found) {
      const limit = each.lane === 'beat' ? within : null;
      const waited = (each.answer ? each.answer.at : age) - each.event.at;
      each.missed = each.answer ? limit !== null && waited > limit + 1e-9 : limit === null || waited >= limit;
      each.event.missed = each.missed;
    }
    return found;
  }

  function words({ at, kind, answer, answers, missed }, end, offset) {
    let text = `${end} end, +${(at + offset).toFixed(3)} s: ${KINDS[kind][1]}`;
    if (kind in ANSWERS) text += answer ? `, answered after ${seconds(answer.at - at)}` : ', not answered';
    if (missed && answer) text += ', too late';
    if (answers) text += ` after ${seconds(at - answers.at)}`;
    return text;
  }

  function step(span, room) {
    const least = span / Math.max(2, room / 90);
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200];
    return steps.find((each) => each >= least) ?? 86400 * Math.ceil(least / 86400);
  }

  // The ends of a connection below each other, on one axis.
  function drawLanes(hold, width) {
    const ends = hold.lanes.map((lane) => ({ ...lane, events: decode(lane.events) }));
    const span = Math.max(0.001, ...ends.map((end) => end.age + end.offset));
    const room = Math.max(60, width - GUTTER - RIGHT);
    const x = (at) => GUTTER + Math.max(0, Math.min(1, at / span)) * room;
    const paths = {};
    const texts = [];
    const draw = (name, d) => { (paths[name] ??= new Set()).add(d); };
    let y = 8;
    for (const end of ends) {
      const at = (event) => x(event.at + end.offset);
      const blamed = hold.blame === end.end;
      texts.push(svg('text', { x: 6, y: y + 13, class: `end${blamed ? ' blamed' : ''}`, text: `${end.end} end` }));
      drawConnection(end, y + 9, at, x, draw, texts, span);
      y += ROW;
      const asked = questions(end.events, hold.within, end.age);
      end.missed = asked.filter((each) => each.missed && each.lane === 'beat').length;
      for (const [lane, label] of LANES) {
        const own = end.events.filter((event) => KINDS[event.kind][0] === lane);
        if (!own.length) continue;
        texts.push(svg('text', { x: 16, y: y + 13, text: label }));
        if (lane === 'data') for (const event of own) draw('data', `M${at(event).toFixed(1)} ${y + 5}v9`);
        for (const event of own) if ('XY'.includes(event.kind)) draw('answered', `M${at(event).toFixed(1)} ${y + 4}v10`);
        for (const each of asked) if (each.lane === lane) drawQuestion(each, y + 9, at, x(end.age + end.offset), draw);
        y += ROW;
      }
      y += 6;
    }
    const every = step(span, room);
    for (let tick = 0; tick <= span + 1e-9; tick += every) {
      draw('grid', `M${x(tick).toFixed(1)} 4V${y + 4}`);
      const last = x(tick) > width - 40;
      texts.push(svg('text', { x: x(tick).toFixed(1), y: y + 17, 'text-anchor': last ? 'end' : 'middle', text: seconds(Number(tick.toFixed(3))) }));
    }
    const height = y + 24;
    const cursor = svg('path', { class: 'cursor' });
    const order = ['grid', 'up', 'silence', 'paused', 'data', 'wait', 'answered', 'pinged', 'session', 'mark', 'open', 'end'];
    const missed = ends.reduce((sum, end) => Math.max(sum, end.missed), 0);
    const label = `${ends.map((end) => `${end.end} end`).join(' and ')}, ${seconds(span)}, ${missed} heartbeats missed`;
    const drawn = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label },
      ...order.filter((name) => paths[name]).map((name) => svg('path', { class: name, d: [...paths[name]].join('') })), cursor, ...texts);
    const all = ends.flatMap((end) => end.events.map((event) => ({ at: event.at + end.offset, event, end })));
    return { drawn, all, cursor, span, x, room, height };
  }

  function drawConnection(end, y, at, x, draw, texts, span) {
    const [from, to] = [x(end.offset), x(end.age + end.offset)];
    draw('up', `M${from.toFixed(1)} ${y}H${to.toFixed(1)}`);
    let [before, paused] = [0, null];
    for (const event of end.events) {
      const [group] = KINDS[event.kind];
      if (event.at - before > Math.max(1, span / 25)) draw('silence', `M${x(before + end.offset).toFixed(1)} ${y + 6}H${at(event).toFixed(1)}`);
      before = event.at;
      if (event.kind === 'P') paused = event;
      if (event.kind === 'Q' && paused) { draw('paused', `M${at(paused).toFixed(1)} ${y}H${at(event).toFixed(1)}`); paused = null; }
      if (group === 'session' || group === 'mark') draw(group, `M${at(event).toFixed(1)} ${y - 6}v12`);
      if (group === 'end') draw('end', `M${(at(event) - 5).toFixed(1)} ${y - 5}l10 10m0 -10l-10 10`);
    }
    if (paused) draw('paused', `M${at(paused).toFixed(1)} ${y}H${to.toFixed(1)}`);
    if (end.close) texts.push(svg('text', { x: (to + 10).toFixed(1), y: y + 4, text: end.close }));
  }

  // Answered: a tick, and a line as long as the answer took. Not answered: a ring, and dots until it was given up.
  function drawQuestion({ event, answer, missed, lane }, y, at, until, draw) {
    const from = at(event);
    if (missed) {
      draw('open', `M${(from - 4).toFixed(1)} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`);
      draw('wait', `M${(from + 5).toFixed(1)} ${y}H${(answer ? at(answer) : until).toFixed(1)}`);
    }
    const name = lane === 'beat' ? 'answered' : 'pinged';
    if (answer && !missed) draw(name, `M${from.toFixed(1)} ${y - 5}v10m0 -5H${at(answer).toFixed(1)}`);
    if (!answer && !missed) draw(name, `M${from.toFixed(1)} ${y - 5}v10`);
    if (answer && missed) draw(name, `M${at(answer).toFixed(1)} ${y - 5}v10`);
  }

  function lanes(hold) {
    const said = element('output', { text: 'point at the lanes to read an event; arrow keys step through them' });
    const place = element('div', { class: 'lanes', tabindex: '0' });
    let picture = null;
    let chosen = -1;
    const show = (index) => {
      chosen = index;
      const { at, event, end } = picture.all[index];
      picture.cursor.setAttribute('d', `M${picture.x(at).toFixed(1)} 2V${picture.height - 22}`);
      said.textContent = words(event, end.end, end.offset);
    };
    const redraw = () => {
      picture = drawLanes(hold, Math.max(260, place.clientWidth || 900));
      picture.all.sort((one, other) => one.at - other.at);
      place.replaceChildren(picture.drawn, said);
    };
    place.addEventListener('pointermove', (event) => {
      if (!picture.all.length) return;
      const box = picture.drawn.getBoundingClientRect();
      const at = ((event.clientX - box.left - GUTTER) / picture.room) * picture.span;
      let best = 0;
      picture.all.forEach((each, index) => { if (Math.abs(each.at - at) < Math.abs(picture.all[best].at - at)) best = index; });
      show(best);
    });
    place.addEventListener('keydown', (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move || !picture.all.length) return;
      event.preventDefault();
      show(Math.max(0, Math.min(picture.all.length - 1, chosen + move)));
    });
    new ResizeObserver(() => { if (!picture || picture.drawn.viewBox.baseVal.width !== Math.max(260, place.clientWidth)) redraw(); }).observe(place);
    return place;
  }

  function legend(blamed) {
    const signs = {
      answered: ['M3 1v10m0 -5H14', 'heartbeat, answered'], pinged: ['M3 1v10m0 -5H14', 'ping, answered'],
      open: ['M2 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0', 'not answered in time'], data: ['M8 1v10', 'message'], session: ['M8 0v12', 'session'],
      mark: ['M8 0v12', 'close frame, pause, lag'], silence: ['M0 6H22', 'silence'], end: ['M4 1l10 10m0 -10l-10 10', 'end'],
    };
    return element('ul', { class: 'legend lanes' }, ...Object.entries(signs).map(([name, [d, text]]) =>
      element('li', {}, svg('svg', { viewBox: '0 0 22 12', 'aria-hidden': 'true' }, svg('path', { class: name, d })), ` ${text}`)),
    ...(blamed ? [element('li', {}, element('b', { class: 'blamed', text: `${blamed} end` }), ' has to change something')] : []));
  }

  function detail(hold) {
    const list = element('dl', {}, ...hold.facts.flatMap(([name, text]) => [element('dt', { text: name }), element('dd', { text, class: name })]));
    const cell = element('td', { colspan: 6 }, list);
    if (hold.lanes.length) cell.append(lanes(hold), legend(hold.lanes.some((lane) => lane.end === hold.blame) ? hold.blame : null));
    return element('tr', { class: 'detail' }, cell);
  }

  const opener = (row) => row.querySelector('th button');
  const isOpen = (row) => opener(row).getAttribute('aria-expanded') === 'true';

  function toggle(row, open = !isOpen(row)) {
    if (open === isOpen(row)) return;
    opener(row).setAttribute('aria-expanded', String(open));
    if (open) row.after(detail(data.holds[row.dataset.hold]));
    else row.nextElementSibling.remove();
    history.replaceState(null, '', open ? `#${row.id}` : location.pathname + location.search);
  }

  // Groups.

  const groups = [...document.querySelectorAll('.holds tbody')].map((body) => ({
    body, head: body.querySelector('tr.group'), rows: [...body.querySelectorAll('tr[data-hold]')],
    folded: body.closest('table').classList.contains('folded'),
  }));
  const groupOf = (row) => groups.find((group) => group.rows.includes(row));

  function fold(group, folded) {
    group.folded = folded;
    filter();
  }

  function follow() {
    const row = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    if (!row?.dataset.hold) return;
    clear();
    row.closest('table').classList.add('all');
    fold(groupOf(row), false);
    toggle(row, true);
    row.scrollIntoView({ block: 'center' });
  }

  // Filter.

  function filter() {
    const wanted = new Set([...document.querySelectorAll('input[name=word]:checked')].map((box) => box.value));
    const asked = document.getElementById('find').value.toLowerCase().split(/\s+/).filter(Boolean);
    const narrowed = asked.length > 0;
    let shown = 0;
    for (const { body, head, rows: own, folded } of groups) {
      let within = 0;
      for (const row of own) {
        const text = narrowed ? `${head.textContent} ${row.textContent}`.toLowerCase() : '';
        const fits = wanted.has(row.dataset.word) && asked.every((word) => text.includes(word));
        within += fits;
        // Who looks for something sees it.
        row.hidden = !fits || (folded && !narrowed);
        if (row.nextElementSibling?.classList.contains('detail')) row.nextElementSibling.hidden = row.hidden;
      }
      head.hidden = within === 0;
      head.querySelector('button').setAttribute('aria-expanded', String(!folded || narrowed));
      head.querySelector('.count').textContent = `${within === own.length ? '' : `${within} of `}${own.length} ${own.length === 1 ? 'hold' : 'holds'}`;
      body.classList.toggle('found', narrowed && within > 0);
      shown += within;
    }
    for (const table of document.querySelectorAll('.holds')) {
      if (narrowed) table.classList.add('all');
      table.closest('section').hidden = ![...table.querySelectorAll('tr.group')].some((head) => !head.hidden);
    }
    document.getElementById('shown').textContent = `${shown} of ${rows.length}`;
    document.getElementById('nothing').hidden = shown > 0 || rows.length === 0;
  }

  function clear() {
    for (const box of document.querySelectorAll('input[name=word]')) box.checked = true;
    document.getElementById('find').value = '';
    filter();
  }

  // Sort: the rows of each group, and the groups by the first of theirs.

  function sort(table, key, down) {
    const of = (row) => JSON.parse(row.dataset.keys)[key];
    const compare = (one, other) => {
      const [a, b] = [of(one), of(other)];
      return (typeof a === 'number' ? a - b : a.localeCompare(b, undefined, { numeric: true })) * (down ? -1 : 1);
    };
    const own = groups.filter((group) => table.contains(group.body));
    for (const group of own) {
      group.rows.sort(compare);
      for (const row of group.rows) {
        const open = row.nextElementSibling?.classList.contains('detail') ? row.nextElementSibling : null;
        group.body.append(row, ...(open ? [open] : []));
      }
    }
    own.sort((one, other) => compare(one.rows[0], other.rows[0]));
    // What was asked for must not be among what is not shown.
    table.classList.add('all');
    table.append(...own.map((group) => group.body));
  }

  // Charts.

  function chart(id, options, values, say) {
    const target = document.getElementById(id);
    if (values[0].length === 0) { target.remove(); return; }
    const axis = { stroke: colour('text'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line') } };
    const axes = options.axes.map((each) => ({ ...axis, ...each }));
    const quiet = target.parentElement.querySelector('p');
    const told = quiet.textContent;
    const hooks = { setCursor: [(plot) => { quiet.textContent = plot.cursor.idx == null ? told : say(plot.cursor.idx); }] };
    const width = () => Math.max(240, target.parentElement.clientWidth - 18);
    const made = new uPlot({ width: width(), height: 190, cursor: { drag: { x: true }, focus: { prox: 30 } }, legend: { show: false }, hooks, ...options, axes }, values, target);
    addEventListener('resize', () => made.setSize({ width: width(), height: 190 }));
  }

  // On a logarithmic axis there is no 0.
  const logarithmic = (values) => {
    const least = Math.min(...values.filter((value) => value > 0));
    return { time: false, distr: 3, range: [10 ** Math.floor(Math.log10(least)), 10 ** Math.ceil(Math.log10(Math.max(...values)))] };
  };
  const ages = { size: 32, values: (_, ticks) => ticks.map((tick) => (tick == null ? '' : seconds(tick))), space: 70 };
  const percent = (share) => `${Number((share * 100).toFixed(1))} %`;

  function charts(own, tier) {
    const [at, share, low, high] = own.survival;
    const shifted = own.survivalLog && at.length ? at.map((age) => Math.max(age, Math.min(...at.filter((each) => each > 0)) / 2)) : at;
    chart(`survival-${tier}`, {
      scales: { x: own.survivalLog ? logarithmic(shifted) : { time: false }, y: { range: [0, 1.02] } },
      axes: [ages, { values: (_, ticks) => ticks.map((tick) => `${Math.round(tick * 100)} %`), size: 54 }],
      series: [{}, { stroke: colour('stable'), width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
        ...[0, 1].map(() => ({ stroke: 'transparent', paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }))],
      bands: [{ series: [3, 2], fill: colour('band') }],
    }, [shifted, share, low, high], (index) =>
      `after ${seconds(at[index])}: ${percent(share[index])} still up, the true share between ${percent(low[index])} and ${percent(high[index])}`);
    const [when, took, whose] = own.rtts;
    chart(`rtts-${tier}`, {
      scales: { x: own.agesLog ? logarithmic(when) : { time: false, range: (_, __, most) => [0, most * 1.02 || 1] }, y: own.rttsLog ? logarithmic(took) : { range: (_, __, most) => [0, most * 1.05 || 1] } },
      axes: [ages, { values: (_, ticks) => ticks.map((tick) => (tick == null ? '' : seconds(tick / 1000))), size: 72 }],
      series: [{}, { stroke: colour('ping'), paths: () => null, points: { show: true, size: 4, fill: colour('ping') } }],
    }, [when, took], (index) => `at ${seconds(when[index])}: ${seconds(took[index] / 1000)}, ${name(whose[index])}`);
  }


  const name = (hold) => opener(rows.find((row) => row.dataset.hold === String(hold))).textContent;

  for (const row of rows) {
    opener(row).addEventListener('click', () => toggle(row));
    // Its own listener opens it; the address stays to be copied.
    row.querySelector('.link').addEventListener('click', (event) => { event.preventDefault(); toggle(row, true); history.replaceState(null, '', `#${row.id}`); });
  }
  for (const group of groups) group.head.querySelector('button').addEventListener('click', () => fold(group, !group.folded));
  for (const button of document.querySelectorAll('.more')) {
    button.addEventListener('click', () => {
      const section = button.closest('section');
      for (const each of [section, section.querySelector('table')]) each.classList.add('all');
      button.parentElement.remove();
    });
  }
  for (const button of document.querySelectorAll('.sort')) {
    button.addEventListener('click', () => {
      const head = button.closest('th');
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      sort(button.closest('table'), button.dataset.key, down);
    });
  }
  document.getElementById('filter').addEventListener('input', filter);
  document.getElementById('filter').addEventListener('submit', (event) => event.preventDefault());
  document.querySelector('#nothing button').addEventListener('click', clear);
  addEventListener('hashchange', follow);
  if (matchMedia('(max-width: 48rem)').matches) for (const each of document.querySelectorAll('.charts')) each.open = false;
  filter();
  follow();
  // The table is there first; charts may follow, and those that are folded away wait until they are seen.
  document.querySelectorAll('.charts').forEach((place, tier) => {
    let drawn = false;
    const draw = () => {
      if (drawn || !place.open) return;
      drawn = true;
      charts(data.charts[tier], tier);
    };
    place.addEventListener('toggle', draw);
    requestAnimationFrame(() => setTimeout(draw));
  });
})();
