// Progressive enhancement of pages that work without it: a countdown by the server's clock, polling while
// the page is visible, focus on the outcome of an action, and a confirmation before a grave one.
(() => {
  "use strict";
  const REGION = "[data-fresh]"; // a part of the page that can be asked for again
  const QUICKEST = 2000, SLOWEST = 600000, CALM = 8; // milliseconds, milliseconds, seconds
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The server's clock: its instant at the first byte of this page, and what has passed since.
  const shown = performance.getEntriesByType("navigation")[0];
  // A page restored from the back-forward cache is out of date.
  if (shown?.type === "back_forward" && !shown.transferSize) location.reload();
  const ahead = Date.parse(document.body.dataset.now) - (performance.timeOrigin + (shown ? shown.responseStart : 0));
  const serverNow = () => Date.now() + ahead;

  // --- countdown -------------------------------------------------------------------------------
  // An hour before and earlier the page says at what time, and goes on saying it.
  function remaining(ms, { countdown, last }) {
    const s = Math.ceil(ms / 1000), m = Math.floor(s / 60);
    if (m < 60) return (m ? countdown : last).replace("{m}", m).replace("{s}", s % 60);
  }
  function tick() {
    for (const block of all("[data-opens-at]")) {
      const left = Date.parse(block.dataset.opensAt) - serverNow();
      const number = one("[data-countdown]", block);
      const text = number && left > 0 && remaining(left, number.dataset);
      if (text) number.textContent = text;
      if (left <= 0) opened(block);
    }
    setTimeout(tick, 1000 - (serverNow() % 1000));
  }
  function opened(block) {
    if (block.localName === "template") { // the button of a card that has just opened
      const act = block.parentElement;
      act.replaceChildren(block.content.cloneNode(true));
      return window.htmx.process(act);
    }
    // Thousands of phones wait for this instant.
    const region = block.closest(REGION) || one(REGION);
    if (!region || region.dataset.due) return;
    region.dataset.due = "1";
    // Each asks at its own moment, later where the server is busy.
    setTimeout(() => { delete region.dataset.due; refresh(region); }, Math.random() * Math.max(1000, (Number(region.dataset.fresh) - CALM) * 1000));
  }

  // --- fresh while visible ---------------------------------------------------------------------
  function refresh(region) {
    if (document.visibilityState !== "visible" || !region.isConnected || busy(region)) return;
    region.asked = Date.now();
    window.htmx.trigger(region, "refresh");
  }
  // A press is lost when its target is replaced between pointer down and pointer up.
  let finger = null;
  document.addEventListener("pointerdown", ({ target, button }) => { if (!button) finger = target; });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(() => { finger = null; }));
  const busy = (region) => region.contains(finger) || one("details[open], dialog[open], .htmx-request, input:not([type=hidden]):focus", region);
  function poll() {
    for (const region of all(REGION)) {
      const every = Math.max(Number(region.dataset.fresh) * 1000, QUICKEST) * (region.patience || 1);
      region.asked ||= Date.now();
      if (Date.now() - region.asked >= Math.min(every, SLOWEST)) refresh(region);
    }
  }
  const isPoll = (ctx) => ctx.sourceElement.matches(REGION) && ctx.request.method === "GET";

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const { tag } = ctx.sourceElement.dataset; // what is shown is known by this name
    if (isPoll(ctx) && tag) ctx.request.headers["If-None-Match"] = `W/"${tag}"`;
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (!isPoll(ctx)) return;
    const region = ctx.sourceElement, pace = Number(ctx.response.headers?.get("Poll-After"));
    region.patience = ctx.response.status < 400 ? 1 : Math.min((region.patience || 1) * 2, 16);
    if (pace) region.dataset.fresh = pace; // the server says how often, by what it has to do
  });

  // --- the outcome of an act -------------------------------------------------------------------
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (ctx.response.status === 425) { // a moment too soon: the same press again, at the opening
      event.preventDefault();
      const form = ctx.sourceElement.closest("form");
      if (form) setTimeout(() => form.requestSubmit(), Number(ctx.response.headers.get("X-Press-Again-In")) || 1000);
      return;
    }
    if (isPoll(ctx) && ctx.target.contains(finger)) {
      event.preventDefault();
      const again = () => setTimeout(refresh, 50, ctx.sourceElement);
      for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, again, { once: true });
      return;
    }
    if (ctx.response.status >= 400 && ![409, 422].includes(ctx.response.status)) {
      event.preventDefault(); // an error does not belong in a card
      if (!isPoll(ctx)) trouble(ctx.response.status < 500 ? ctx.text : "");
    } else if (isPoll(ctx)) {
      keepOutcomes(tasks);
      ctx.mine = mine(ctx.sourceElement);
    } else {
      const region = ctx.sourceElement.closest(REGION);
      if (region && region === ctx.target) delete region.dataset.tag; // it will show something else
    }
  });
  // A poll brings the region again without what the last press brought; that stays until the next press.
  function keepOutcomes(tasks) {
    for (const said of all(`${REGION} [data-outcome]`)) {
      const card = said.closest("[data-slot]") || said.closest(REGION);
      const place = [...card.children].indexOf(said);
      for (const { fragment } of tasks) {
        const again = one(`#${card.id}`, fragment);
        if (again) again.insertBefore(said.cloneNode(true), again.children[place] || null);
      }
    }
  }
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (isPoll(ctx)) return brought(ctx);
    answered();
    const outcome = one(`[data-outcome="new"]`);
    if (!outcome) return;
    for (const older of all("[data-outcome]")) if (older !== outcome) older.remove();
    outcome.dataset.outcome = "";
    keepTicket(true);
    outcome.focus({ preventScroll: true });
    outcome.scrollIntoView({ block: "nearest" });
    const region = outcome.closest(REGION); // what else the press changed: the day's other cards, the strip
    if (region && region.id !== ctx.target.id) setTimeout(refresh, 300, region);
  });
  // A poll brings the whole region, or the parts of it that have changed: then it is known by a new name.
  function brought(ctx) {
    const tag = ctx.response.headers?.get("ETag")?.match(/"(.*)"/);
    if (tag && ctx.mine) ctx.sourceElement.dataset.tag = tag[1];
    say(ctx.mine);
  }
  // What a poll has changed for the reader is said once, to who does not see it: a place in line that became a seat.
  const mine = (root) => new Map(all("[data-slot]", root.parentElement).map((card) => [card.dataset.slot, card.dataset.mine]));
  function say(before) {
    const changed = all("[data-slot]").filter((card) => before?.has(card.dataset.slot) && before.get(card.dataset.slot) !== card.dataset.mine);
    const words = changed.map((card) => all("h1, h2, h3, .pill", card).map((part) => part.textContent.trim()).join(" "));
    if (!changed.length) return;
    answered();
    one("#said").textContent = words.join(" ");
  }
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => { if (ctx && !isPoll(ctx)) trouble(); });
  // `answer` is a refusal of the server, which says itself what to do.
  function trouble(answer = "") {
    const words = one("#trouble"), place = one("#flashes");
    if (!words || !place) return;
    const said = Object.assign(document.createElement("template"), { innerHTML: answer });
    place.replaceChildren(one(".notice", said.content) || words.content.cloneNode(true));
    place.dataset.trouble = "";
    place.scrollIntoView({ block: "nearest" });
  }
  // That nobody answered is said until somebody has, or a poll has shown what became of the press.
  function answered() {
    const place = one("#flashes[data-trouble]");
    place?.replaceChildren();
    place?.removeAttribute("data-trouble");
  }

  // --- a question before a grave act: <form data-confirm="…"> ----------------------------------
  // and before signing out with taps that were not sent: <form data-owner="…" data-unsent="… {n} …">
  document.addEventListener("submit", (event) => {
    const form = event.target, ask = one("#confirm"), words = [unsent(form), form.dataset.confirm].filter(Boolean).join(" ");
    if (!words || form.sure || !ask?.showModal) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    one("p", ask).textContent = words;
    ask.returnValue = "";
    ask.onclose = () => {
      if (ask.returnValue !== "yes") return;
      form.sure = true;
      form.requestSubmit(event.submitter);
      form.sure = false;
    };
    ask.showModal();
  }, true);

  function unsent({ dataset }) {
    let count = 0;
    try { // as door-queue.js keeps them
      for (const [key, taps] of Object.entries(dataset.unsent ? localStorage : {})) {
        if (key.startsWith("taps:") && key.endsWith(`:${dataset.owner}`)) count += JSON.parse(taps).length;
      }
    } catch { /* a browser that keeps nothing */ }
    return count && dataset.unsent.replace("{n}", count);
  }

  // --- a form that was just sent: the second tap of a double one would find its code used up -----
  const SENT = 10000; // milliseconds; a press after that is meant
  let sent = {};
  document.addEventListener("submit", (event) => {
    const { target: form, submitter: by, timeStamp: at } = event;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.form === form && sent.by === by && at - sent.at < SENT) event.preventDefault();
    else sent = { form, by, at };
    keepTyped(form);
  });
  window.addEventListener("pageshow", () => { sent = {}; }); // Back, to correct it and send it again

  // --- what was typed, where the sign-in had ended: put back after signing in -------------------
  // Kept in this tab from a form's sending to the next page; over the pages of an account when they lead back here. Only
  // on pages of staff, and shown again only to the same person: <template id="typed" data-owner>.
  const here = location.pathname + location.search, isAccount = location.pathname.startsWith("/account/");
  const words = one("#typed"), owner = words?.dataset.owner;
  const action = (form) => form.getAttribute("action") || location.pathname;
  const typed = (form) => [...form.elements].filter(({ name, type }) => name && !["hidden", "password", "file", "submit", "button"].includes(type));
  function keepTyped(form) {
    const fields = typed(form).map(({ name, value, checked }) => [name, value, checked]);
    if (!owner || !fields.length) return;
    try {
      sessionStorage.typed = JSON.stringify({ page: here, action: action(form), fields, owner });
    } catch { /* a browser that keeps nothing */ }
  }
  function bringTyped() {
    const kept = JSON.parse(sessionStorage.typed || "null");
    delete sessionStorage.typed;
    if (!kept) return;
    if (isAccount) {
      kept.left ||= new URLSearchParams(location.search).get("next") === kept.page;
      sessionStorage.typed = JSON.stringify(kept);
    } else if (owner && kept.left && kept.page === here && kept.owner === owner) {
      const form = all("form[method=post]").find((found) => action(found) === kept.action);
      if (form) fill(form, kept.fields);
    }
  }
  function fill(form, fields) {
    typed(form).forEach((field, n) => {
      const [name, value, checked] = fields[n] || [];
      if (name !== field.name) return;
      const fold = field.closest("details");
      if (fold && (field.value !== value || field.checked !== checked)) fold.open = true;
      if (["checkbox", "radio"].includes(field.type)) field.checked = checked;
      else field.value = value;
    });
    one("#flashes").append(words.content.cloneNode(true));
    form.scrollIntoView({ block: "nearest" });
  }
  try { bringTyped(); } catch { /* a browser that keeps nothing */ }

  // --- search while typing -------------------------------------------------------------------
  // Not while an input method composes a Chinese word.
  document.addEventListener("input", (event) => { if (event.isComposing && event.target.type === "search") event.stopPropagation(); }, true);
  document.addEventListener("htmx:after:swap", () => {
    const { address } = one("[data-address]")?.dataset || {};
    if (address) history.replaceState(history.state, "", address);
  });

  // --- an address to take along: <button data-copy="#its-input" data-done="words" hidden> -------
  for (const button of all("[data-copy]")) {
    if (!navigator.clipboard) break; // its text can be marked by hand
    button.hidden = false;
    button.addEventListener("click", async () => {
      if (await copied(one(button.dataset.copy).value)) one("span", button).textContent = button.dataset.done;
    });
  }

  // --- a page to pass on: <button data-share="its address" data-title data-done data-failed> ----
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-share]"), { share: url, title, done, failed } = button?.dataset || {};
    if (!button) return;
    if (navigator.share) return navigator.share({ title, url }).catch(() => {}); // closed without choosing
    one("span", button).textContent = await copied(`${title} ${url}`) ? done : failed;
  });
  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // on plain http, and in some chats' browsers, there is none
      const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
      document.body.append(field);
      field.select();
      const isDone = document.execCommand("copy");
      field.remove();
      return isDone;
    }
  }

  // --- stations near first: asked only after a tap, and told to a hundred metres ---------------
  const near = one("[data-near]");
  if (near && navigator.geolocation) {
    const button = one("button", near);
    near.hidden = false;
    button.addEventListener("click", () => {
      button.disabled = true;
      // Sent as a form: no address, and so no log, has the position.
      const found = ({ coords }) => {
        near.elements.at.value = `${coords.latitude.toFixed(3)},${coords.longitude.toFixed(3)}`;
        near.submit();
      };
      const failed = () => { one("span", button).textContent = near.dataset.failed; };
      navigator.geolocation.getCurrentPosition(found, failed, { timeout: 10000, maximumAge: 600000 });
    });
  }

  // --- the ticket for when there is no network (sw.js) -----------------------------------------
  // A page that says nothing of its reader (an error page) changes nothing of what is kept.
  const me = document.body.dataset.me;
  async function keepTicket(changed) {
    const workers = navigator.serviceWorker;
    if (!workers || me === undefined) return;
    if (!me) return workers.controller?.postMessage({ me });
    try {
      await workers.register("/sw.js");
      (await workers.ready).active.postMessage({ me, changed });
    } catch { /* no network, or a browser that keeps nothing: the next page asks again */ }
  }

  // --- begin -----------------------------------------------------------------------------------
  one(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  for (const chosen of all(".days [aria-current], :is(#day-picks, #found) [aria-current]")) {
    const row = chosen.parentElement, end = chosen.offsetLeft + chosen.offsetWidth;
    if (end > row.clientWidth) row.scrollLeft = end - (row.clientWidth + chosen.offsetWidth) / 2; // to its middle
  }
  if (one(`[data-outcome="new"]`)) one(`[data-outcome="new"]`).focus({ preventScroll: true });
  window.addEventListener("load", () => keepTicket(Boolean(one("#mine, [data-outcome]"))));
  if (all("[data-opens-at]").length || one(REGION)) tick();
  if (one(REGION)) {
    setInterval(poll, 1000);
    document.addEventListener("visibilitychange", () => all(REGION).forEach(refresh));
    window.addEventListener("pageshow", (event) => { if (event.persisted) all(REGION).forEach(refresh); });
  }
})();
