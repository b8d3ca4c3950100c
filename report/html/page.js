
// The page is complete without this script; it adds the filter and keeps its
// state in the address. It writes text and the hidden attribute, never markup.
(function () {
  'use strict';
  const bar = document.getElementById('filter');
  if (!bar) return;
  const fields = ['q', 'rule', 'state', 'target'].map(id => document.getElementById(id)).filter(Boolean);
  const status = document.getElementById('status');
  const targets = Array.from(document.getElementById('targets').options, o => o.value);
  const cards = Array.from(document.querySelectorAll('.card'), element => ({ element, finding: element.classList.contains('finding'), numbers: element.dataset.t, text: null }));
  const groups = Array.from(document.querySelectorAll('.group'), element => {
    const count = element.querySelector(':scope > summary .count');
    return { element, open: element.open, count, total: count ? count.textContent : '' };
  });
  const rows = Array.from(document.querySelectorAll('tr[data-t]'));
  const reaches = Array.from(document.querySelectorAll('.reach'), element => ({ element, numbers: element.dataset.t, text: null }));
  const farther = document.getElementById('farther');
  const pause = 120; // milliseconds after the last key
  const unfold = 200; // cards that a filter may unfold by itself
  let timer = 0, filtered = false;

  const value = id => { const f = document.getElementById(id); return f ? f.value.trim() : ''; };

  // wanted returns which target numbers match: the one that is named exactly,
  // else all that contain the text.
  function wanted(text) {
    if (!text) return null;
    const exact = targets.indexOf(text);
    if (exact >= 0) return n => n === exact;
    const part = text.toLowerCase();
    const hits = targets.map(t => t.toLowerCase().includes(part));
    return n => hits[n];
  }

  // concerns tells whether any number of "0-3 7" is wanted.
  function concerns(numbers, hit) {
    if (!hit) return true;
    if (!numbers) return false;
    return numbers.split(' ').some(range => {
      const [from, to] = range.split('-').map(Number);
      for (let n = from; n <= (to === undefined ? from : to); n++) if (hit(n)) return true;
      return false;
    });
  }

  function says(card, words) {
    if (card.text === null) card.text = card.element.textContent.toLowerCase();
    return words.every(word => card.text.includes(word));
  }

  function apply() {
    const words = value('q').toLowerCase().split(/\s+/).filter(Boolean);
    const rule = value('rule'), state = value('state'), hit = wanted(value('target'));
    const active = Boolean(words.length || rule || state || hit);
    const shown = { finding: 0, change: 0 }, all = { finding: 0, change: 0 };
    for (const card of cards) {
      const kind = card.finding ? 'finding' : 'change';
      const fits = !card.finding || (!rule || card.element.dataset.rule === rule) && (!state || card.element.dataset.state === state);
      const show = fits && concerns(card.numbers, hit) && (!words.length || says(card, words));
      if (card.element.hidden === show) card.element.hidden = !show;
      all[kind]++;
      if (show) shown[kind]++;
    }
    for (const group of groups) {
      const left = group.element.querySelectorAll('.card:not([hidden])').length;
      if (active && !filtered) group.open = group.element.open;
      group.element.hidden = left === 0;
      if (group.count) group.count.textContent = active ? left + ' of ' + group.total : group.total;
      if (active && left > 0 && shown.finding + shown.change <= unfold) group.element.open = true;
      if (!active && filtered) group.element.open = group.open;
    }
    for (const reach of reaches) reach.element.hidden = !(concerns(reach.numbers, hit) && (!words.length || says(reach, words)));
    if (farther) farther.hidden = !farther.querySelector('.reach:not([hidden])');
    if (farther && Boolean(words.length || hit) !== farther.open) farther.open = Boolean(words.length || hit);
    for (const row of rows) row.hidden = !concerns(row.dataset.t, hit);
    for (const body of document.querySelectorAll('.matrix tbody')) body.hidden = !body.querySelector('tr[data-t]:not([hidden])');
    filtered = active;
    status.textContent = ['finding', 'change'].filter(kind => all[kind] > 0)
      .map(kind => `${shown[kind]} of ${all[kind]} ${kind}${all[kind] === 1 ? '' : 's'}`).join(', ');
  }

  // remember puts the filter into the address, so that it can be sent on.
  function remember() {
    const state = new URLSearchParams();
    for (const f of fields) if (f.value.trim()) state.set(f.id, f.value.trim());
    const hash = state.toString();
    history.replaceState(null, '', hash ? '#' + hash : location.pathname + location.search);
  }

  function recall() {
    const hash = location.hash.slice(1);
    if (hash && !hash.includes('=')) return show(hash);
    const state = new URLSearchParams(hash);
    for (const f of fields) f.value = state.get(f.id) || '';
    apply();
    if (hash && (state.get('rule') || state.get('target'))) {
      const results = document.getElementById(document.querySelector('.finding:not([hidden])') ? 'findings' : 'diff');
      if (results) results.scrollIntoView();
    }
  }

  // show unfolds what the address points at, whatever the filter says.
  function show(hash) {
    let id = hash;
    try { id = decodeURIComponent(hash); } catch (e) { return apply(); }
    const element = document.getElementById(id);
    if (element && element.closest('[hidden]')) for (const f of fields) f.value = '';
    apply();
    for (let at = element; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
    if (element) element.scrollIntoView();
  }

  function changed() { remember(); apply(); }
  for (const f of fields) {
    f.addEventListener(f.tagName === 'SELECT' ? 'change' : 'input', () => {
      clearTimeout(timer);
      timer = setTimeout(changed, f.tagName === 'SELECT' ? 0 : pause);
    });
  }
  document.getElementById('reset').addEventListener('click', () => {
    for (const f of fields) f.value = '';
    changed();
  });
  addEventListener('hashchange', recall);
  bar.hidden = false;
  recall();
})();
