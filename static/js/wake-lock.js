// Keeps the screen on while the page is looked at. Without https there is no way to: a page may say so once (#awake).
(() => {
  "use strict";
  const lock = navigator.wakeLock, hint = document.querySelector("#awake"), SEEN = "awake-hint";
  async function hold() {
    if (document.visibilityState !== "visible") return;
    try {
      (await lock.request("screen")).addEventListener("release", hold, { once: true });
    } catch { /* a low battery may refuse it; the next look at the page asks again */ }
  }
  if (lock) {
    document.addEventListener("visibilitychange", hold);
    return hold();
  }
  if (!hint) return;
  try { hint.hidden = localStorage.getItem(SEEN) !== null; } catch { hint.hidden = false; }
  hint.querySelector("button").addEventListener("click", () => {
    hint.hidden = true;
    try { localStorage.setItem(SEEN, "1"); } catch { /* then it is said again after a reload */ }
  });
})();
