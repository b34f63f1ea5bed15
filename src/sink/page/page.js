'use strict';
// Everything that the wire said reaches the page as text (textContent, fillText) and in no other way.
(() => {
  const $ = (id) => document.getElementById(id);
  const about = JSON.parse($('about').textContent);
  const events = JSON.parse($('events').textContent);

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const seconds = (time) =>
    time < 0.001 ? `${Math.round(time * 1e6)} \u00b5s` :
    time < 1 ? `${(time * 1000).toFixed(time < 0.01 ? 1 : 0)} ms` : `${time.toFixed(2)} s`;
  const octets = (count) =>
    count < 10240 ? `${count} octets` :
    count < 10485760 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 1048576).toFixed(1)} MiB`;
  const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

  // ---- what the events tell -------------------------------------------------------------------

  const byNumber = new Map();
  const commands = [];
  const connections = [];
  const lanes = new Map();

  const textOf = (event) => {
    const said = (event.p || []).map((run) => Array.isArray(run) ? run[1] : `{${run.l}} ${run.text}`);
    return said.join('') + (event.text ? ` ${event.text}` : '');
  };
  const lane = (conn) => {
    if (!lanes.has(conn)) {
      lanes.set(conn, { conn, open: [], marks: [] });
      connections.push(lanes.get(conn));
    }
    return lanes.get(conn);
  };

  for (const event of events) {
    byNumber.set(event.n, event);
    const own = lane(event.c);
    own.first = own.first === undefined ? event.t : Math.min(own.first, event.t);
    own.last = Math.max(own.last || 0, event.t);
    if (event.k === 'command') {
      // What it waits for besides its own answer: those before it.
      const before = own.open.filter((other) => other.end === undefined);
      const command = { event, lane: own, before, answers: [], start: event.t };
      event.command = command;
      own.open.push(command);
      commands.push(command);
    }
    if (event.u) own.marks.push(event);
    for (const number of event.a || []) {
      const asked = byNumber.get(number);
      const command = asked && asked.command;
      if (!command) continue;
      command.answers.push(event);
      if (command.first === undefined) command.first = event.t;
      if (event.k === 'continuation_request' && asked.name === 'IDLE') command.idle = event.t;
      if (event.k === 'tagged') {
        command.end = event.t;
        command.status = event.status;
        own.open = own.open.filter((other) => other !== command);
      }
    }
  }
  const end = events.reduce((last, event) => Math.max(last, event.t), 0);
  for (const command of commands) {
    command.stop = command.end === undefined ? Math.max(command.lane.last, command.start) : command.end;
  }
  for (const command of commands) {
    const waits = command.before.map((other) => Math.min(other.stop, command.first ?? command.stop));
    command.begins = Math.max(command.start, ...waits, command.start);
  }

  // ---- the time axis: long pauses shortened, if asked ------------------------------------------

  let axis;
  const makeAxis = () => {
    const longest = $('gaps').checked ? Math.max(0.2, Math.min(1, end / 60)) : Infinity;
    const times = [...new Set([0, ...events.map((event) => event.t), end])].sort((a, b) => a - b);
    const places = [0];
    for (let i = 1; i < times.length; i += 1) {
      places.push(places[i - 1] + Math.min(times[i] - times[i - 1], longest));
    }
    const whole = places[places.length - 1] || 1;
    axis = (time) => {
      let low = 0;
      let high = times.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (times[middle] <= time) low = middle; else high = middle - 1;
      }
      const span = (times[low + 1] ?? times[low]) - times[low];
      const part = span > 0 ? (time - times[low]) / span : 0;
      const width = (places[low + 1] ?? places[low]) - places[low];
      return (places[low] + part * width) / whole;
    };
  };

  // ---- the filter -------------------------------------------------------------------------------

  const haystack = (event) => {
    event.hay ??= `#${event.n} ${event.k} ${event.name || ''} ${event.tag || ''} ${event.status || ''} ` +
      `${event.id || ''} ${event.u ? 'unsolicited' : ''} ${textOf(event)}`.toLowerCase();
    return event.hay;
  };
  const FIELDS = {
    conn: (event, value) => String(event.c) === value,
    from: (event, value) => (event.own ? 'mailscope' : event.f || 'mailscope') === value,
    kind: (event, value) => event.k === value,
    status: (event, value) => (event.status || '').toLowerCase() === value ||
      (event.command && (event.command.status || '').toLowerCase() === value),
    command: (event, value) => [event, ...(event.a || []).map((n) => byNumber.get(n))]
      .some((other) => other && other.k === 'command' &&
        ((other.name || '').toLowerCase() === value || (other.name || '').toLowerCase() === `uid ${value}`)),
    note: (event, value) => event.k === 'note' && (event.id || '').includes(value),
  };
  const filterOf = (text) => {
    const words = text.toLowerCase().match(/-?[a-z]+:"[^"]*"|-?"[^"]*"|\S+/g) || [];
    const tests = words.map((word) => {
      const not = word.length > 1 && word.startsWith('-');
      const plain = (not ? word.slice(1) : word);
      const [, field, value] = plain.match(/^([a-z]+):(.+)$/) || [];
      const wanted = (value ?? plain).replace(/^"|"$/g, '');
      const test = FIELDS[field] && value !== undefined
        ? (event) => FIELDS[field](event, wanted)
        : (event) => haystack(event).includes(field ? plain.replace(/"/g, '') : wanted);
      return not ? (event) => !test(event) : test;
    });
    return (event) => tests.every((test) => test(event));
  };

  // ---- long lists, built as they come into view and taken down behind it --------------------------------------------------

  const CHUNK = 50;
  const list = (section, height, build) => {
    let items = [];
    let watcher;
    const fill = (block) => {
      if (block.firstChild) return;
      const start = Number(block.dataset.start);
      block.append(...items.slice(start, start + CHUNK).map(build));
      block.style.height = '';
    };
    // As high as it was; what somebody has unfolded stays.
    const empty = (block, height) => {
      if (!block.firstChild || block.querySelector('[aria-expanded=true]')) return;
      block.style.height = `${height}px`;
      block.replaceChildren();
    };
    return {
      show(wanted, nothing) {
        if (watcher) watcher.disconnect();
        items = wanted;
        section.replaceChildren();
        if (items.length === 0) section.append(make('p', 'empty', nothing));
        watcher = new IntersectionObserver((entries) => {
          for (const entry of entries) {
            if (entry.isIntersecting) fill(entry.target); else empty(entry.target, entry.boundingClientRect.height);
          }
        }, { root: section, rootMargin: '600px' });
        for (let start = 0; start < items.length; start += CHUNK) {
          const block = make('div', 'block');
          block.dataset.start = start;
          block.style.height = `${Math.min(CHUNK, items.length - start) * height}px`;
          section.append(block);
          watcher.observe(block);
        }
      },
      bring(item, where) {
        const place = items.indexOf(item);
        if (place < 0) return null;
        const block = section.children[Math.floor(place / CHUNK)];
        fill(block);
        const element = block.children[place % CHUNK];
        element.scrollIntoView({ block: where });
        return element;
      },
    };
  };

  // ---- commands -----------------------------------------------------------------------------------

  let chosen = null;

  const percent = (part) => `${(part * 100).toFixed(3)}%`;
  const stretch = (bar, className, from, to) => {
    if (to < from) return;
    const span = make('span', className);
    const [left, right] = [axis(from), axis(to)];
    span.style.left = percent(left);
    span.style.width = percent(Math.max(right - left, 0));
    bar.append(span);
  };
  const commandRow = (command) => {
    const { event } = command;
    const row = make('div', command === chosen ? 'row chosen' : 'row');
    const what = make('div', 'what');
    const words = textOf(event);
    const name = event.name || '';
    const tag = event.tag || '';
    what.append(make('i', '', `${connections.length > 1 ? `${event.c} ` : ''}#${event.n} `), make('b', '', name));
    const rest = words.startsWith(tag) ? words.slice(tag.length).trimStart() : words;
    what.append(rest.toUpperCase().startsWith(name) ? rest.slice(name.length) : ` ${rest}`);
    what.title = words.slice(0, 300);
    const how = make('div', 'how');
    if (command.status) how.append(make('span', `status s-${command.status}`, command.status), ' ');
    const lasted = command.end === undefined ? 'no answer' : seconds(command.end - command.start);
    how.append(lasted);
    const bar = make('div', 'bar');
    if (command.begins > command.start) stretch(bar, 'queued', command.start, command.begins);
    const first = Math.max(command.first ?? command.stop, command.begins);
    const bad = command.status === 'NO' || command.status === 'BAD' ? ' bad' : '';
    if (command.idle !== undefined) {
      stretch(bar, 'wait', command.begins, command.idle);
      stretch(bar, 'idle', command.idle, command.stop);
    } else {
      stretch(bar, `wait${bad}`, command.begins, first);
      stretch(bar, `data${bad}`, first, command.stop);
    }
    bar.title = `sent at ${command.start.toFixed(3)} s` +
      (command.begins > command.start ? `, queued ${seconds(command.begins - command.start)}` : '') +
      (command.first === undefined ? '' : `, first answer after ${seconds(command.first - command.start)}`) +
      (command.end === undefined ? '' : `, done after ${seconds(command.end - command.start)}`);
    row.append(what, how, bar);
    row.addEventListener('click', () => choose(command, true));
    return row;
  };

  // ---- the conversation ------------------------------------------------------------------------------

  const literalBox = (literal) => {
    const box = make('div', 'literal');
    const raw = () => {
      const all = make('div', '', literal.text);
      if (literal.l > literal.text.length * 4) all.append(make('p', 'aside', `of ${octets(literal.l)}; the rest is in the transcript`));
      return all;
    };
    const mail = () => {
      const all = make('div');
      const fields = make('dl');
      for (const [name, value] of literal.mail.headers) fields.append(make('dt', '', name), make('dd', '', value));
      all.append(fields);
      for (const part of literal.mail.texts) {
        if (literal.mail.texts.length > 1 || part.type !== 'text/plain') all.append(make('p', 'aside', part.type));
        all.append(make('div', '', part.text));
      }
      for (const part of literal.mail.attachments) {
        all.append(make('p', 'aside', `attached: ${part.name}, ${octets(part.octets)}`));
      }
      return all;
    };
    const shown = make('div');
    if (literal.mail) {
      const turn = make('button', '', 'as read');
      turn.type = 'button';
      let isRaw = false;
      turn.addEventListener('click', () => {
        isRaw = !isRaw;
        turn.textContent = isRaw ? 'as a mail' : 'as read';
        shown.replaceChildren(isRaw ? raw() : mail());
      });
      box.append(turn);
      shown.append(mail());
    } else {
      shown.append(raw());
    }
    box.append(shown);
    return box;
  };
  const literalRun = (literal) => {
    const whole = make('span');
    const button = make('button', '', `{${literal.l}}`);
    button.type = 'button';
    button.setAttribute('aria-expanded', 'false');
    button.title = octets(literal.l);
    let box = null;
    button.addEventListener('click', () => {
      if (box) { box.remove(); box = null; } else { box = literalBox(literal); whole.append(box); }
      button.setAttribute('aria-expanded', String(box !== null));
    });
    whole.append(button);
    return whole;
  };
  const isOf = (event, command) =>
    command !== null && (event === command.event || (event.a || []).includes(command.event.n));
  const eventRow = (event) => {
    const kinds = ['event', event.f || 'about', event.k];
    if (event.u) kinds.push('unsolicited');
    if (isOf(event, chosen)) kinds.push('mine');
    const row = make('div', kinds.join(' '));
    row.id = `e${event.n}`;
    row.append(make('span', 'when', event.t.toFixed(3)));
    const who = make('span', 'who');
    if (connections.length > 1) who.append(make('span', 'conn', `${event.c} `));
    who.append(event.f === 'client' ? 'C:' : event.f === 'server' ? 'S:' : '--');
    const said = make('span', 'said');
    for (const run of event.p || []) {
      if (Array.isArray(run)) {
        const status = run[0] === 'status' ? ` s-${event.status}` : '';
        said.append(make('span', run[0] + status, run[1]));
      } else {
        said.append(literalRun(run));
      }
    }
    if (event.id) said.append(make('b', '', `${event.id}: `));
    if (event.text) said.append(event.text);
    if (event.clause) said.append(make('span', 'aside', ` (${event.clause})`));
    if (event.e !== undefined) said.append(make('span', 'aside', `  ${seconds(event.e)}`));
    if (event.u) said.append(make('span', 'aside', '  unsolicited'));
    if (event.own) said.append(make('span', 'aside', '  said by mailscope'));
    if (event.sent !== undefined) {
      said.append(make('span', 'aside', event.sent ? `\npassed on as: ${event.sent}` : '\nnot passed on'));
    }
    row.append(who, said);
    row.addEventListener('dblclick', () => {
      const asked = event.command || (event.a || []).map((n) => byNumber.get(n).command)[0];
      if (asked) choose(asked, false);
    });
    return row;
  };

  const commandList = list($('commands'), 44, commandRow);
  const eventList = list($('conversation'), 20, eventRow);

  // ---- lanes -------------------------------------------------------------------------------------------

  const LANE = 16;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  // Beside the lanes stand their connections' numbers, if there are several.
  const gutter = connections.length > 1 ? 8 + 7 * String(connections[connections.length - 1].conn).length : 0;
  const across = (time, width) => gutter + axis(time) * (width - gutter);
  const penOf = (canvas, height) => {
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    pen.font = '11px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    return pen;
  };
  const draw = () => {
    const canvas = $('lanes');
    const width = canvas.clientWidth;
    const pen = penOf(canvas, connections.length * LANE + 4);
    const paint = (name, from, to, top, tall) => {
      pen.fillStyle = colours[name] ??= colour(name);
      const left = across(from, width);
      pen.fillRect(left, top, Math.max(across(to, width) - left, 1.5), tall);
    };
    const colours = {};
    connections.forEach((own, place) => {
      own.top = place * LANE + 2;
      paint('raised', own.first, own.last, own.top, LANE - 3);
      if (gutter === 0) return;
      pen.fillStyle = colour('dim');
      pen.fillText(String(own.conn), 0, own.top + (LANE - 3) / 2);
    });
    for (const command of commands) {
      const { top } = command.lane;
      const bad = command.status === 'NO' || command.status === 'BAD';
      const first = Math.max(command.first ?? command.stop, command.begins);
      if (bad) paint('no', command.start, command.stop, top + 1, LANE - 5);
      else if (command.idle !== undefined) paint('idle', command.start, command.stop, top + 1, LANE - 5);
      else {
        if (command.begins > command.start) paint('queued', command.start, command.begins, top + 1, LANE - 5);
        paint('wait', command.begins, first, top + 1, LANE - 5);
        paint('data', first, command.stop, top + 1, LANE - 5);
      }
    }
    for (const own of connections) {
      for (const mark of own.marks) paint('unsolicited', mark.t, mark.t, own.top, LANE - 3);
    }
    if (chosen) {
      pen.strokeStyle = colour('front');
      const left = across(chosen.start, width);
      pen.strokeRect(left - 1, chosen.lane.top, Math.max(across(chosen.stop, width) - left, 2) + 2, LANE - 3);
    }
    drawTicks();
  };
  // Seconds below the lanes, as many as there is room for.
  const drawTicks = () => {
    const canvas = $('ticks');
    const width = canvas.clientWidth;
    const pen = penOf(canvas, 16);
    pen.fillStyle = colour('dim');
    const room = 64;
    const least = end / Math.max(width / room, 1) / 8;
    const step = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 3600].find((step) => step >= least) ?? 36000;
    const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
    let free = 0;
    for (let time = 0; time <= end; time += step) {
      const left = across(time, width);
      const label = `${time.toFixed(digits)} s`;
      const wide = pen.measureText(label).width;
      if (left < free || left + wide + 4 > width) continue;
      pen.fillRect(left, 0, 1, 5);
      pen.fillText(label, left + 4, 8);
      free = left + Math.max(wide + 16, room);
    }
  };
  const under = (pointer) => {
    const box = $('lanes').getBoundingClientRect();
    const part = (pointer.clientX - box.left - gutter) / (box.width - gutter);
    const own = connections[Math.floor((pointer.clientY - box.top - 2) / LANE)];
    let best = null;
    for (const command of commands) {
      if (command.lane !== own) continue;
      const [from, to] = [axis(command.start), axis(command.stop)];
      const far = part < from ? from - part : part > to ? part - to : 0;
      if (best === null || far < best.far || (far === best.far && command.start > best.command.start)) {
        best = { far, command };
      }
    }
    return best && best.command;
  };
  $('lanes').addEventListener('click', (pointer) => {
    const command = under(pointer);
    if (command) choose(command, true);
  });
  $('lanes').addEventListener('mousemove', (pointer) => {
    const command = under(pointer);
    $('legend').hidden = command !== null;
    $('under').textContent = command
      ? `connection ${command.event.c}, ${command.start.toFixed(3)} s: ${textOf(command.event).slice(0, 200)}` : '';
  });

  $('lanes').addEventListener('mouseleave', () => {
    $('legend').hidden = false;
    $('under').textContent = '';
  });

  // ---- choosing, filtering, keys ---------------------------------------------------------------------------

  let matching = events;
  let wanted = commands;

  const tab = (name) => {
    for (const other of ['commands', 'conversation']) {
      $(other).classList.toggle('open', other === name);
      $(`show-${other}`).setAttribute('aria-pressed', String(other === name));
    }
  };
  const choose = (command, goes) => {
    chosen = command;
    for (const row of document.querySelectorAll('.chosen')) row.classList.remove('chosen');
    for (const row of document.querySelectorAll('.mine')) row.classList.remove('mine');
    if (goes) tab('conversation');
    const row = commandList.bring(command, 'nearest');
    if (row) row.classList.add('chosen');
    if (!matching.includes(command.event)) { $('filter').value = ''; refresh(); }
    eventList.bring(command.event, 'start');
    for (const event of [command.event, ...command.answers]) {
      const element = document.getElementById(`e${event.n}`);
      if (element) element.classList.add('mine');
    }
    draw();
  };
  const refresh = () => {
    const test = filterOf($('filter').value);
    matching = events.filter(test);
    const numbers = new Set(matching.map((event) => event.n));
    wanted = commands.filter((command) =>
      numbers.has(command.event.n) || command.answers.some((event) => numbers.has(event.n)));
    commandList.show(wanted, 'No command fits.');
    eventList.show(matching, 'Nothing fits.');
    $('count').textContent = matching.length === events.length
      ? plural(events.length, 'event') : `${matching.length} of ${plural(events.length, 'event')}`;
  };
  const step = (by) => {
    if (wanted.length === 0) return;
    const place = wanted.indexOf(chosen);
    const next = place < 0 ? 0 : Math.max(0, Math.min(wanted.length - 1, place + by));
    choose(wanted[next], false);
  };
  let last = null;
  const seek = (test) => {
    const found = matching.filter(test);
    if (found.length === 0) return;
    const place = found.findIndex((event) => last && event.n > last.n);
    last = found[Math.max(place, 0)];
    tab('conversation');
    const element = eventList.bring(last, 'center');
    for (const row of document.querySelectorAll('.mine')) row.classList.remove('mine');
    if (element) element.classList.add('mine');
  };
  const KEYS = {
    '/': () => $('filter').focus(),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => { if (chosen) choose(chosen, true); },
    u: () => seek((event) => event.u),
    n: () => seek((event) => event.k === 'note'),
  };
  document.addEventListener('keydown', (key) => {
    if (key.key === 'Escape') {
      $('filter').value = '';
      $('filter').blur();
      refresh();
      return;
    }
    const isTyping = key.target.tagName === 'INPUT' && key.target.type !== 'checkbox';
    const isButton = key.target.tagName === 'BUTTON';
    if (key.ctrlKey || key.altKey || key.metaKey || isTyping || (isButton && key.key === 'Enter')) return;
    const inConversation = $('conversation').contains(key.target) && key.key.startsWith('Arrow');
    if (!KEYS[key.key] || inConversation) return;
    key.preventDefault();
    KEYS[key.key]();
  });
  let timer = 0;
  $('filter').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 60);
  });
  $('gaps').addEventListener('change', () => { makeAxis(); refresh(); draw(); });
  $('show-commands').addEventListener('click', () => tab('commands'));
  $('show-conversation').addEventListener('click', () => tab('conversation'));
  window.addEventListener('resize', draw);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  // ---- the beginning -----------------------------------------------------------------------------------------

  document.body.classList.toggle('many', connections.length > 1);
  document.title = `mailscope: ${about.server}`;
  $('server').textContent = about.server;
  $('facts').textContent = `${about.started.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}, ` +
    `${plural(connections.length, 'connection')}, ${plural(commands.length, 'command')}, ${end.toFixed(1)} s`;
  const warnings = [];
  if (about.secrets) warnings.push('Secrets are not masked in this session: do not share this page.');
  if (about.insecure) warnings.push('The server\u2019s certificate was not verified.');
  $('warning').textContent = warnings.join(' ');
  $('warning').hidden = warnings.length === 0;
  // page.html#27 is event 27, page.html#filter=NO that filter: for links in a bug report.
  const follow = () => {
    const place = decodeURIComponent(location.hash.slice(1));
    if (place.startsWith('filter=')) {
      $('filter').value = place.slice('filter='.length);
      refresh();
      return;
    }
    const event = byNumber.get(Number(place));
    if (!event) return;
    const asked = event.command || (event.a || []).map((n) => (byNumber.get(n) || {}).command)[0];
    if (asked) choose(asked, true); else tab('conversation');
    eventList.bring(event, 'center');
  };
  window.addEventListener('hashchange', follow);
  tab('commands');
  makeAxis();
  refresh();
  draw();
  follow();
})();
