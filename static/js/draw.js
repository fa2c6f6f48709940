// Recomputes a published draw on this device, as check.py does: list, secret, seed, order, results.
(() => {
  "use strict";
  const part = document.querySelector("[data-recompute]");
  if (!part) return;
  const button = part.querySelector("button");
  const status = part.querySelector("[role=status]");
  const say = part.dataset;

  const sha256 = async (text) => {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const listText = (entries) => entries.map((e) => `${e[0]} ${e[1]} ${e[2]} ${e[3]} ${e[4].join(",")}\n`).join("");
  const lot = async (seed, no, balls) => {
    const all = await Promise.all(Array.from({ length: balls }, (_, n) => sha256(`${seed}:${no}:${n + 1}`)));
    return all.sort()[0];
  };
  const inOrder = async (seed, entries) => {
    const lots = await Promise.all(entries.map(async (entry) => [await lot(seed, entry[0], entry[2]), entry]));
    lots.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : one[1][0] - other[1][0]));
    return lots.map((pair) => pair[1]);
  };
  // What each result says of its slots, as pairs of number and slot.
  const pairs = (told, name) => new Set(told.results.flatMap((row) => Object.keys(row[name] || {}).map((slot) => `${row.no}:${slot}`)));
  const giveOut = (ordered, seats, refused, alone) => {
    const left = { ...seats };
    return ordered.map(([no, , , people, wishes]) => {
      const needed = (slot) => (alone.has(`${no}:${slot}`) ? 1 : people);
      const open = wishes.filter((slot) => !refused.has(`${no}:${slot}`));
      const got = open.find((slot) => (left[slot] || 0) >= needed(slot)) ?? null;
      if (got !== null) left[got] -= needed(got);
      return [no, got];
    });
  };
  const chainBack = async (secret, links) => {
    let link = secret;
    for (let n = 0; n < links; n += 1) link = await sha256(link);
    return link;
  };

  // The first thing that does not fit, or nothing.
  const difference = async (told) => {
    if (told.version !== 1) return "version";
    if ((await sha256(listText(told.entries))) !== told.list_sha256) return "list_sha256";
    if (told.entries.some((entry) => entry[3] !== 1 && entry[3] !== 2)) return "people";
    if (told.state !== "drawn") return "";
    if ((await sha256(told.secret)) !== told.commitment) return "commitment";
    if ((await chainBack(told.secret, Math.min(told.link, 4096))) !== told.anchor) return "anchor";
    const seed = await sha256(`${told.draw}|${told.list_sha256}|${told.secret}|${told.value}`);
    if (seed !== told.seed) return "seed";
    const typed = told.public_value ? told.public_value.typed : [];
    if ((typed.length ? typed[typed.length - 1].value : "") !== told.value) return "value";
    const ordered = await inOrder(seed, told.entries);
    const given = giveOut(ordered, told.seats, pairs(told, "passed_over"), pairs(told, "alone"));
    const published = told.results.map((row) => [row.no, row.slot]);
    return JSON.stringify(given) === JSON.stringify(published) ? "" : "results";
  };

  button.addEventListener("click", async () => {
    if (!(window.crypto && crypto.subtle)) {
      status.textContent = say.https;
      return;
    }
    status.textContent = say.busy;
    let told;
    try {
      const answer = await fetch(say.recompute);
      if (!answer.ok) throw new Error(answer.status);
      told = await answer.json();
    } catch {
      status.textContent = say.lost;
      return;
    }
    const wrong = await difference(told);
    part.dataset.recomputed = wrong || "ok";
    status.textContent = wrong ? say.bad + wrong : told.state === "drawn" ? say.good : say.sealed;
  });
})();
