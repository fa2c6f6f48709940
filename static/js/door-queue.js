// The roster's taps: shown at once, sent at once, and when the network is gone kept on the phone and sent later.
// Each tap has a name of its own (a nonce), so that the server counts it once however often it arrives, and an
// age instead of a time, so that a phone whose clock is wrong tells the truth. What is kept is of the manager who
// tapped: for the next one who signs in on this device it stays where it is.
// The scanner's tickets (scan.js) go the same way, by the events door:tap, door:answer and door:unsent.
(() => {
  "use strict";
  const bar = document.querySelector("#unsent");
  if (!bar) return;
  const { url, owner } = bar.dataset, EVERYBODY = `taps:${url}:`, KEY = EVERYBODY + owner, AGAIN = 3000, NOON = 12 * 60 * 60 * 1000;
  let memory = [], sending = false, told = [], refused = false; // refused: the last answer says why taps are kept
  const lasts = new Map(kept().map((tap) => [tap.booking, tap.nonce])); // the last tap on each name: their order is ours to tell
  let heard = new Map(), count = 0; // taps that the server has, and the roster shown may not have yet
  const asked = new WeakMap(); // of each request for the roster: how many taps had been heard when it left

  // --- what is kept ----------------------------------------------------------------------------
  function kept() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return memory; }
  }
  function keep(taps) {
    memory = taps;
    try { localStorage.setItem(KEY, JSON.stringify(taps)); } catch { /* a full or forbidden store: until the page goes */ }
    show();
  }
  // How many taps other managers have left on this device this noon.
  function others() {
    let count = 0;
    try {
      for (const [key, taps] of Object.entries(localStorage)) {
        if (key.startsWith(EVERYBODY) && key !== KEY) count += JSON.parse(taps).filter(({ at }) => Date.now() - at < NOON).length;
      }
    } catch { /* what cannot be read cannot be counted */ }
    return count;
  }
  const ofOthers = (count) => bar.dataset.others.replace("{n}", count);
  const name = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // --- a tap -----------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches(".roster .tap")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const row = form.closest("[data-booking]");
    add({ booking: row.dataset.booking, act: row.dataset.state === "attended" ? "out" : "in" });
  }, true);
  document.addEventListener("door:tap", ({ detail }) => add(detail));
  // A tap on a seat: {booking, act}; or a scan: {ticket, act, slot}.
  function add(tap) {
    told = [];
    const nonce = name();
    keep([...kept(), { after: lasts.get(tap.booking) || "", ...tap, at: Date.now(), nonce }]);
    if (tap.booking) lasts.set(tap.booking, nonce);
    send();
  }

  // --- sending, one after the other ------------------------------------------------------------
  async function send() {
    if (sending || !kept().length) return;
    sending = true;
    show(); // a tap under way is not one without a network
    let arrived = false;
    try {
      for (let tap = kept()[0]; tap; tap = kept()[0]) {
        if (!(await deliver(tap))) {
          for (const each of kept()) tell("door:unsent", { tap: each, told });
          break;
        }
        arrived = true;
        keep(kept().filter((other) => other.nonce !== tap.nonce));
      }
    } finally {
      sending = false;
      show();
    }
    if (arrived) refresh();
  }
  function refresh() {
    const desk = document.querySelector("#desk");
    if (desk) window.htmx?.trigger(desk, "refresh");
  }
  // Whether somebody listens, and shows it otherwise.
  const tell = (type, detail) => !document.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
  // Whether the tap is settled: heard, or never to be heard.
  async function deliver(tap) {
    const token = document.querySelector("[name=csrf_token]")?.value || "";
    const age = Math.min(Math.max(Date.now() - tap.at, 0), 999999999);
    const of = { booking: tap.booking || "", ticket: tap.ticket || "", slot: tap.slot || "" };
    const body = new URLSearchParams({ csrf_token: token, ...of, act: tap.act, age, nonce: tap.nonce, after: tap.after || "", owner });
    let answer;
    try {
      const signal = AbortSignal.timeout ? AbortSignal.timeout(8000) : undefined;
      answer = await fetch(url, { method: "POST", body, redirect: "manual", signal });
    } catch {
      refused = false;
      return false;
    }
    refused = answer.type === "opaqueredirect" || [400, 401, 403, 409].includes(answer.status);
    if (answer.status === 200) {
      const said = await answer.json().catch(() => ({}));
      if (!tell("door:answer", { tap, said }) && said.words) told.push(said.words);
      if (said.outcome === tap.act) heard.set(tap.booking, { act: tap.act, number: ++count });
      return true;
    }
    if (answer.type === "opaqueredirect" || answer.status === 400 || answer.status === 401) told = [bar.dataset.signIn];
    if (answer.status === 403) told = [bar.dataset.ended]; // a door helper whose day is over
    if (answer.status === 409) told = [ofOthers(kept().length)]; // somebody else has signed in since this page was shown
    if (answer.status === 404 || answer.status === 422) told.push(bar.dataset.lost); // it can never count
    return [404, 422].includes(answer.status);
  }

  // --- what is shown ---------------------------------------------------------------------------
  function show() {
    const taps = kept(), unsent = new Map(taps.map((tap) => [tap.booking, tap.act]));
    for (const row of document.querySelectorAll(".roster [data-booking]")) {
      const { booking } = row.dataset;
      paint(row, unsent.get(booking) || heard.get(booking)?.act, unsent.has(booking));
    }
    const lines = [...new Set(told)];
    if (taps.length && !sending && !refused) lines.unshift(bar.dataset.waiting.replace("{n}", taps.length));
    const theirs = others();
    if (theirs) lines.push(ofOthers(theirs));
    bar.hidden = !lines.length;
    bar.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  }

  // A seat as it was tapped; without a tap as the server said. `said` is that word, while a tap hides it.
  function paint(row, act, unsent) {
    row.classList.toggle("unsent", unsent);
    if (!act && !row.dataset.said) return;
    row.dataset.said ||= row.dataset.state;
    const state = act ? (act === "in" ? "attended" : "booked") : row.dataset.said;
    const does = row.querySelector(".do"), word = state === "attended" ? bar.dataset.here : bar.dataset.notHere;
    row.classList.remove("booked", "attended");
    row.classList.add(state);
    row.dataset.state = state;
    row.querySelector("button")?.setAttribute("aria-pressed", String(state === "attended"));
    if (does) does.textContent = unsent ? `${word} · ${bar.dataset.unsent}` : word;
  }

  // --- the roster comes again ------------------------------------------------------------------
  // One that was asked for before a tap was heard does not know of it: the tap stays, and the roster is asked again.
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => { asked.set(ctx, count); });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response?.status === 304) caughtUp(ctx);
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    delete document.body.dataset.kept; // there is a network
    keepPage();
    caughtUp(ctx);
    if (heard.size) refresh();
  });
  function caughtUp(ctx) {
    heard = new Map([...heard].filter(([, tap]) => tap.number > (asked.get(ctx) ?? 0)));
    show();
  }

  // --- the page itself, for a reload while there is no network (sw.js) -------------------------
  let soon = 0;
  function keepPage() {
    const { me, kept: old } = document.body.dataset;
    if (!me || old !== undefined || !navigator.serviceWorker) return;
    soon ||= setTimeout(async () => {
      soon = 0;
      (await navigator.serviceWorker.ready).active.postMessage({ me, roster: location.pathname });
    }, 1000);
  }

  window.addEventListener("load", keepPage);
  window.addEventListener("online", send);
  window.addEventListener("pageshow", send);
  window.addEventListener("storage", (event) => { if (event.key?.startsWith(EVERYBODY)) show(); });
  setInterval(send, AGAIN);
  show();
  send();
})();
