// The scanner: the camera's pictures, or photos, are searched for QR codes by the browser's own reader, else by jsQR. A
// ticket is handed to door-queue.js as a tap is; what the server says of it is shown large, and heard.
(() => {
  "use strict";
  const page = document.querySelector("#scan");
  if (!page) return;
  const one = (name) => page.querySelector(`[data-part="${name}"]`);
  const words = page.dataset, { station, slot } = words;
  const AGAIN = 5000, PAUSE = 120, WIDE = 640; // ms until the same code counts again; ms between pictures; pixels
  const video = one("video"), start = one("start"), result = one("result"), list = one("list"), light = one("light");
  const canvas = document.createElement("canvas"), seen = new Map();
  let reader, stream, sound, wanted = false, current = {};

  // --- reading a code --------------------------------------------------------------------------
  async function makeReader() {
    try {
      if ((await window.BarcodeDetector?.getSupportedFormats())?.includes("qr_code")) {
        const detector = new BarcodeDetector({ formats: ["qr_code"] });
        return async (picture) => (await detector.detect(picture))[0]?.rawValue;
      }
    } catch { /* some say that they have one and have none */ }
    await new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: words.src, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    return (picture, isPhoto) => {
      const { width, height } = canvas, pixels = picture.getContext("2d").getImageData(0, 0, width, height);
      return window.jsQR(pixels.data, width, height, { inversionAttempts: isPhoto ? "attemptBoth" : "dontInvert" })?.data;
    };
  }
  // What the camera or a photo shows, no wider than `most`.
  async function read(picture, width, height, most, isPhoto = false) {
    const scale = Math.min(1, most / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, canvas.width, canvas.height);
    reader ||= makeReader();
    return (await reader)(canvas, isPhoto);
  }

  // --- the camera ------------------------------------------------------------------------------
  const hasCamera = Boolean(navigator.mediaDevices?.getUserMedia);
  async function open() {
    wanted = true;
    start.disabled = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    } catch (trouble) {
      wanted = false;
      start.disabled = false;
      return photosInstead(trouble.name === "NotAllowedError" ? words.denied : words.noCamera);
    }
    video.srcObject = stream;
    video.hidden = false;
    start.hidden = one("why").hidden = true;
    const [track] = stream.getVideoTracks();
    light.hidden = !track.getCapabilities?.().torch;
    await video.play().catch(() => {});
    idle();
    look();
  }
  async function look() {
    if (!stream) return;
    try {
      if (video.videoWidth) found(await read(video, video.videoWidth, video.videoHeight, WIDE));
    } catch {
      close();
      return photosInstead(words.noReader);
    }
    setTimeout(look, PAUSE);
  }
  function close() {
    for (const track of stream?.getTracks() || []) track.stop();
    stream = null;
    video.hidden = true;
    start.hidden = start.disabled = false;
  }
  function photosInstead(why) {
    one("why").hidden = false;
    one("why").textContent = why;
    one("photo").hidden = false;
  }
  // Stop the camera while the page is hidden.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") { if (stream) close(); } else if (wanted && !stream) open();
  });
  start.addEventListener("click", () => { ready(); open(); });
  light.addEventListener("click", () => {
    const on = light.getAttribute("aria-pressed") !== "true";
    light.setAttribute("aria-pressed", on);
    stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] }).catch(() => {});
  });
  one("file").addEventListener("change", async ({ target }) => {
    ready();
    const [file] = target.files;
    target.value = "";
    if (!file) return;
    try {
      const photo = await createImageBitmap(file);
      const text = (await read(photo, photo.width, photo.height, 2 * WIDE, true)) || (await read(photo, photo.width, photo.height, WIDE, true));
      seen.clear(); // a photo is taken on purpose
      if (text) found(text); else show({ tone: "no", title: words.noCode });
    } catch {
      show({ tone: "no", title: words.noReader });
    }
  });

  // --- a code ----------------------------------------------------------------------------------
  function found(text) {
    if (!text) return;
    const before = seen.get(text), now = performance.now();
    seen.set(text, now); // held into the camera it goes on being the same scan
    if (before !== undefined && now - before < AGAIN) return;
    const [, code, ticket] = /\/manage\/([^/?#]+)\/tickets\/([0-9A-Za-z_-]{8,40})(?:[?#]|$)/.exec(text) || [];
    if (!ticket) return show({ tone: "no", title: /\/door\/[^/]+\/in\b/.test(text) ? words.doorCode : words.notOurs, code: "not_ours" });
    if (code !== station) return show({ tone: "no", title: words.otherStation, code: "other_station" });
    send({ ticket, act: "in", slot });
  }
  function send(tap) {
    current = { ticket: tap.ticket, booking: tap.booking };
    document.dispatchEvent(new CustomEvent("door:tap", { detail: tap }));
  }
  const isCurrent = (tap) => (tap.ticket ? tap.ticket === current.ticket : tap.booking === current.booking);
  document.addEventListener("door:unsent", ({ detail: { tap, told } }) => {
    if (!isCurrent(tap) || current.told) return;
    current.told = true;
    show({ tone: "wait", title: words.kept, text: told[0] || words.keptMore, code: "kept" });
  });
  document.addEventListener("door:answer", (event) => {
    const { tap, said } = event.detail;
    if (!tap.ticket && !isCurrent(tap)) return; // a tap on the roster, kept while there was no network
    event.preventDefault();
    if (tap.act === "out") return show({ tone: "wait", title: said.outcome === "out" ? words.undone : said.words || words.undone, code: "undone" });
    if (!said.reply) return show({ tone: "no", title: said.words || words.noReader });
    const { tone, title, text, act, code } = said.reply;
    const isIn = tone === "good" && said.booking;
    show({ tone, title, text, code, name: said.name, slot: said.slot, act, tap, undo: isIn && { booking: said.booking, act: "out", after: tap.nonce } });
  });

  // --- what is shown and heard -----------------------------------------------------------------
  const idle = () => { if (!result.dataset.answer) show({ tone: "idle", title: words.idle }); };
  function show({ tone, title, text = "", code = tone, name = "", slot: where = "", act = "", tap, undo }) {
    result.className = `answer card ${tone}`;
    result.dataset.answer = code;
    result.hidden = false;
    const said = { verdict: title, person: name, where, text };
    for (const [part, line] of Object.entries(said)) Object.assign(one(part), { textContent: line, hidden: !line });
    const go = one("act"), back = one("undo");
    go.hidden = !act || !tap;
    go.textContent = { check_in: words.checkIn, seat: words.seat, stand_by: words.standBy }[act] || "";
    go.onclick = () => send({ ticket: tap.ticket, act: act === "check_in" ? "in" : "admit" });
    back.hidden = !undo;
    back.onclick = () => { seen.clear(); send(undo); };
    if (tone === "idle") return;
    play(code === "already_in" ? "already" : tone);
    log(tone, name ? `${name} · ${title}` : title);
  }
  function log(tone, line) {
    one("log").hidden = false;
    list.prepend(Object.assign(document.createElement("li"), { textContent: line, className: tone }));
    while (list.children.length > 5) list.lastChild.remove();
  }
  // Up for a yes, twice the same for one who is in already or must wait, low for a no.
  const TONES = { good: [880, 1320], already: [660, 660], wait: [550, 550], no: [220, 180] };
  function ready() {
    try { sound ||= new AudioContext(); sound.resume(); } catch { /* then it is silent */ }
  }
  function play(name) {
    navigator.vibrate?.(name === "good" ? 60 : [90, 60, 90]);
    if (!sound) return;
    TONES[name]?.forEach((pitch, place) => {
      const voice = sound.createOscillator(), loud = sound.createGain(), at = sound.currentTime + place * 0.16;
      voice.type = name === "no" ? "square" : "sine";
      voice.frequency.value = pitch;
      loud.gain.setValueAtTime(0.2, at);
      loud.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
      voice.connect(loud).connect(sound.destination);
      voice.start(at);
      voice.stop(at + 0.15);
    });
  }

  // --- the beginning ---------------------------------------------------------------------------
  one("live").hidden = false;
  if (!window.isSecureContext) photosInstead(words.insecure);
  else if (!hasCamera) photosInstead(words.noCamera);
  else start.hidden = false;
  document.addEventListener("pointerdown", ready, { once: true }); // no sound before a touch
})();
