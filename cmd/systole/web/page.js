// Asks for the board again every second, and puts in its place what has changed.
// Asking, not a stream: it needs nothing of the daemon between two answers, ends
// with the tab that nobody looks at, and goes on by itself when the daemon has
// restarted.
'use strict';

(() => {
  const every = 1000, patience = 5000; // ms
  const live = document.getElementById('live');
  let answered = new Date();

  function selecting(part) {
    const s = window.getSelection();
    return s !== null && !s.isCollapsed && s.containsNode(part, true);
  }

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    const parts = fresh.querySelectorAll('.part');
    if (parts.length === 0) throw new Error('not a board');
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (old !== null && old.outerHTML !== part.outerHTML && !selecting(old)) {
        old.replaceWith(document.adoptNode(part));
      }
    }
    document.title = document.getElementById('now').dataset.title;
  }

  function say(text, stale) {
    document.documentElement.classList.toggle('stale', stale);
    if (live.textContent !== text) live.textContent = text;
  }

  async function refresh() {
    try {
      const answer = await fetch('board', {cache: 'no-store', signal: AbortSignal.timeout(patience)});
      show(await answer.text());
      answered = new Date();
      say('live', false);
    } catch {
      say('no answer since ' + answered.toLocaleTimeString(), true);
    }
  }

  async function run() {
    if (!document.hidden) await refresh();
    setTimeout(run, every);
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
  run();
})();
