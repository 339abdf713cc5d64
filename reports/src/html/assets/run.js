// The page of a run: what is chosen in the chart is told below it, and spoken to whoever listens.

(() => {
  const view = JSON.parse(document.getElementById('view').textContent);
  const details = document.getElementById('details');
  const status = document.getElementById('status');
  const names = Object.fromEntries(view.lanes.map((lane) => [lane.id, lane]));
  const NEAR = 40;

  function add(parent, name, text, className) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    parent.append(element);
    return element;
  }

  function button(parent, text, act) {
    const element = add(parent, 'button', text, 'show');
    element.type = 'button';
    element.addEventListener('click', act);
    return element;
  }

  function tellFault(parent, fault) {
    add(parent, 'p', fault.title);
    add(parent, 'p', fault.became, 'about');
    add(parent, 'h3', 'What it caused');
    const list = add(parent, 'ul');
    for (const effect of fault.effects) {
      const line = add(list, 'li', effect.text + ' ');
      if (effect.item !== null) button(line, 'show', () => chart.reveal(effect.item));
    }
  }

  function tell(index, near, words) {
    const item = view.items[index];
    const all = document.createDocumentFragment();
    const life = item.life ? `, life ${item.life}` : '';
    const title = item.fault === undefined ? item.verb : `${item.verb}: fault ${item.fault + 1}`;
    add(all, 'h3', title);
    add(all, 'p', `${seconds(item.t, 6)}${life}, ${names[item.lane].name}`, 'when about');
    add(all, 'p', item.text, 'told');
    if (item.fault !== undefined) tellFault(all, view.faults[item.fault]);
    if (near.length > 1) {
      add(all, 'p', `${near.length} events are at this place:`, 'about');
      const others = add(all, 'div', undefined, 'near');
      button(others, 'zoom to them', () => chart.showAll(near));
      for (const other of near.slice(0, NEAR)) {
        const { t, verb } = view.items[other];
        button(others, `${seconds(t)} ${verb}`, () => chart.choose(other, near));
      }
      if (near.length > NEAR) add(others, 'span', `and ${near.length - NEAR} more`, 'about');
    }
    add(all, 'h3', item.verb === 'SEND' ? 'Its lines' : 'Its record');
    const record = add(all, 'pre', item.record);
    record.tabIndex = 0;
    details.replaceChildren(all);
    details.dataset.item = index;
    status.textContent = `${names[item.lane].name}: ${words}`;
  }

  const root = document.getElementById('chart');
  const chart = makeChart(view, root, tell);
  const reveal = (index) => {
    chart.reveal(index);
    root.scrollIntoView({ block: 'nearest' });
    root.focus({ preventScroll: true });
  };
  makeEvents(view, reveal);

  const on = (id, act) => document.getElementById(id)?.addEventListener('click', act);
  on('zoom-in', () => chart.zoom(0.5));
  on('zoom-out', () => chart.zoom(2));
  on('fit', () => chart.fit());
  on('next-fault', () => chart.toFault(1));
  on('previous-fault', () => chart.toFault(-1));
  for (const what of ['calm', 'steps']) {
    document.getElementById('show-' + what)?.addEventListener('change', (event) => chart.set(what, event.target.checked));
  }
  for (const show of document.querySelectorAll('button[data-item]')) {
    show.addEventListener('click', () => reveal(Number(show.dataset.item)));
  }
  details.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') root.focus();
  });
})();
