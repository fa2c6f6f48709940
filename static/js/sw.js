// Keeps, for when there is no network, as last known: the next booking of whoever is signed in here, and to a
// manager the roster that is open at the door. Both go at sign-out and as soon as a page is somebody else's.
"use strict";
const KEPT = "offline-1", PAGE = "/offline", OWNER = "Kept-For";
const ROSTERS = "rosters-1", NOON = 12 * 60 * 60 * 1000; // a roster is of one noon
const STALE = 10 * 60 * 1000;
const AT = "Kept-At"; // by this phone's clock, which may be hours off the server's
const age = (kept) => Math.abs(Date.now() - Number(kept.headers.get(AT)));
let round = 0; // what was asked for before somebody left must not be kept after it
let leavings = 0;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(begin()));
async function begin() {
  for (const name of await caches.keys()) if (![KEPT, ROSTERS].includes(name)) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event, path = new URL(request.url).pathname;
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(open(event));
  else if (request.method === "GET" && path.startsWith("/static/")) event.respondWith(file(request));
  else if (path === "/account/sign-out" || path === "/account/delete") event.waitUntil(forget());
});
async function open(event) {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch (trouble) {
    const kept = (await roster(event.request)) || (await caches.match(PAGE, { ignoreVary: true }));
    if (kept) return kept;
    throw trouble;
  }
}
// The kept roster says that it is one: the page shows from when it is.
async function roster(request) {
  const kept = await (await caches.open(ROSTERS)).match(request, { ignoreVary: true });
  if (!kept || age(kept) > NOON) return null;
  const words = await kept.text();
  return new Response(words.replace("<body ", "<body data-kept "), { headers: kept.headers });
}
async function file(request) {
  try {
    return await fetch(request);
  } catch (trouble) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw trouble;
  }
}

// A page says whose it is: {me: "17", changed: true}; me is empty where nobody is signed in. A roster gives its path.
self.addEventListener("message", (event) => {
  const { me, changed, roster: path } = event.data;
  event.waitUntil(me ? (path ? keepRoster(me, path) : keep(me, changed)) : forget());
});
async function keep(me, changed) {
  const kept = await caches.match(PAGE, { ignoreVary: true });
  const mine = kept?.headers.get(OWNER) === me;
  if (kept && !mine) await forget();
  if (mine && !changed && age(kept) < STALE) return;
  const asked = ++round;
  const page = await fetch(PAGE, { cache: "no-store" });
  if (!page.ok || page.headers.get(OWNER) !== me || asked !== round) return;
  const words = await page.text();
  const cache = await caches.open(KEPT);
  if (asked !== round) return;
  await cache.put(PAGE, stamped(words, page.headers));
  await keepFiles(cache, words, "css|svg");
  if (asked < round) await forget();
}
async function keepRoster(me, path) {
  const before = leavings, cache = await caches.open(ROSTERS);
  const page = await fetch(path, { cache: "no-store" });
  if (!page.ok || page.headers.get(OWNER) !== me || before !== leavings) return;
  for (const one of await cache.keys()) { // those of other days, and of whoever had the phone before
    const old = await cache.match(one, { ignoreVary: true }), owner = old.headers.get(OWNER);
    if (owner && (owner !== me || age(old) > NOON)) await cache.delete(one);
  }
  const words = await page.text();
  await cache.put(path, stamped(words, page.headers));
  await keepFiles(cache, words, "css|svg|js");
  if (before !== leavings) await forget();
}
function stamped(words, head) {
  const headers = new Headers(head);
  headers.delete("Content-Encoding"); // it is plain by now
  headers.set(AT, Date.now());
  return new Response(words, { headers });
}
async function keepFiles(cache, words, kinds) {
  const files = [...words.matchAll(new RegExp(`(?:href|src)="(/static/[^"#]+\\.(?:${kinds})[^"#]*)`, "g"))].map((found) => found[1].replaceAll("&amp;", "&"));
  for (const path of new Set(files)) if (!(await cache.match(path, { ignoreVary: true }))) await cache.add(path);
}
async function forget() {
  round++;
  leavings++;
  await caches.delete(KEPT);
  await caches.delete(ROSTERS);
}
