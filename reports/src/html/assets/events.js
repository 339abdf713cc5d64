// The list of all events: a page of rows at a time, so that ten thousand are no more work than a hundred.

function makeEvents(view, reveal) {
  const ROWS = 100;
  const body = document.querySelector('#events-table tbody');
  const about = document.getElementById('page-about');
  const find = document.getElementById('find');
  const order = view.items.map((_, index) => index).sort((a, b) => view.items[a].t - view.items[b].t || a - b);
  const nameOf = Object.fromEntries(view.lanes.map((lane) => [lane.id, lane.name]));
  const haystack = view.items.map((item) =>
    `${seconds(item.t)} life ${item.life} ${nameOf[item.lane]} ${item.verb} ${item.text} ${item.record}`.toLowerCase());
  let found = order, page = 0;

  function cell(row, text) {
    const td = document.createElement('td');
    td.textContent = text;
    row.append(td);
    return td;
  }

  function draw() {
    const pages = Math.max(Math.ceil(found.length / ROWS), 1);
    page = Math.min(Math.max(page, 0), pages - 1);
    const rows = found.slice(page * ROWS, (page + 1) * ROWS).map((index) => {
      const item = view.items[index], row = document.createElement('tr');
      cell(row, seconds(item.t));
      cell(row, item.life || '');
      cell(row, nameOf[item.lane]);
      cell(row, `${item.verb}  ${item.text}`);
      const show = document.createElement('button');
      show.type = 'button';
      show.className = 'show';
      show.textContent = 'show';
      show.setAttribute('aria-label', `show ${item.verb} at ${seconds(item.t)}`);
      show.addEventListener('click', () => reveal(index));
      cell(row, '').append(show);
      return row;
    });
    body.replaceChildren(...rows);
    about.textContent = `${found.length} of ${order.length} events, page ${page + 1} of ${pages}`;
  }

  find.addEventListener('input', () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = order.filter((index) => words.every((word) => haystack[index].includes(word)));
    page = 0;
    draw();
  });
  document.getElementById('page-before').addEventListener('click', () => { page--; draw(); });
  document.getElementById('page-after').addEventListener('click', () => { page++; draw(); });
  draw();
}
