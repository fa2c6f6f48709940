// The door screen that is touched: a scanner types like a keyboard, so what it types must arrive whole wherever the focus
// is; and nothing of one person stays for the next. Without this file the pages work by their forms and refreshes.
(() => {
  "use strict";
  const { screen: home, idle } = document.body.dataset;
  const field = document.querySelector("#typed"), form = document.querySelector("#typing, .name-form"), bare = document.querySelector("#scanned");
  const keypad = document.querySelector(".keypad"), alarm = document.querySelector("#no-network"), main = document.querySelector("main");
  const PAUSE = 1000, SHORTEST = 8, AGAIN = 5000; // ms that end what a scanner types; characters of a scan; ms between looks
  let typed = "", last = 0, sent = false, clock = 0;

  // --- the network -----------------------------------------------------------------------------
  // A page that the browser cannot load would stay there for good, so the server is asked before it is left.
  async function reached() {
    try {
      const signal = AbortSignal.timeout ? AbortSignal.timeout(4000) : undefined;
      return (await fetch("/readyz", { cache: "no-store", signal })).ok;
    } catch {
      return false;
    }
  }
  const say = (lost) => { if (alarm) alarm.hidden = !lost; };
  async function go(move) {
    if (sent) return;
    sent = true;
    if (await reached()) return move();
    sent = false;
    lost();
  }
  async function lost() {
    say(true);
    setTimeout(async () => { if (await reached()) say(false); else lost(); }, AGAIN);
  }
  async function leave() {
    if (document.body.dataset.said !== undefined) main.replaceChildren(); // whoever it was about has gone
    if (await reached()) return location.replace(home);
    if (field) field.value = "";
    say(true);
    setTimeout(leave, AGAIN);
  }
  function send(which) {
    go(() => which.submit());
    if (!field) return;
    setTimeout(() => { if (!sent) field.value = ""; }, PAUSE);
  }

  // --- what is typed ---------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    rest();
    if (event.key === "Escape" && home) return leave();
    if (sent) return event.preventDefault();
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.target.matches("input")) return;
    if (event.key.length === 1 && event.key !== " ") {
      event.preventDefault();
      if (field) into(field.value + event.key); else gather(event);
    } else if (event.key === "Enter" && bare && typed.length >= SHORTEST && event.timeStamp - last < PAUSE) {
      event.preventDefault();
      bare.elements.typed.value = typed;
      typed = "";
      send(bare);
    }
  });
  function into(text) {
    field.value = text;
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }
  function gather({ key, timeStamp }) {
    if (!bare) return;
    typed = timeStamp - last < PAUSE ? typed + key : key;
    last = timeStamp;
  }
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  if (keypad) {
    keypad.hidden = false;
    field.inputMode = "none"; // its own keys, not the system's over them
    keypad.addEventListener("click", ({ target }) => {
      const { key } = target.dataset;
      if (!key) return;
      field.value = key === "clear" ? "" : key === "back" ? field.value.slice(0, -1) : (field.value + key).slice(0, 6);
    });
  }

  // --- back to the screen ----------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-leave], a[data-go]");
    if (!link) return;
    event.preventDefault();
    if (link.dataset.leave !== undefined) leave(); else go(() => location.assign(link.href));
  });
  // An answer goes after its time, whatever is pressed; a page that is used stays.
  function rest() {
    if (!idle || (clock && document.body.dataset.said !== undefined)) return;
    clearTimeout(clock);
    clock = setTimeout(leave, idle * 1000);
  }
  for (const act of ["pointerdown", "input"]) document.addEventListener(act, rest);
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted && home) location.replace(home); });
  rest();

  // --- the screen itself, which asks by htmx ---------------------------------------------------
  document.addEventListener("htmx:error", () => say(true));
  document.addEventListener("htmx:after:swap", () => say(false));
})();
