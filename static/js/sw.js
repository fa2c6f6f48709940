// Keeps one page for when there is no network: the next booking, as last known, of whoever is signed in here.
// Nothing else is kept, and that page goes at sign-out and as soon as a page is somebody else's.
"use strict";
const KEPT = "offline-1", PAGE = "/offline", OWNER = "Kept-For";
const STALE = 10 * 60 * 1000;
let round = 0; // what was asked for before somebody left must not be kept after it

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(begin()));
async function begin() {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
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
    const kept = await caches.match(PAGE, { ignoreVary: true });
    if (kept) return kept;
    throw trouble;
  }
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

// A page says whose it is: {me: "17", changed: true}; me is empty where nobody is signed in.
self.addEventListener("message", (event) => {
  const { me, changed } = event.data;
  event.waitUntil(me ? keep(me, changed) : forget());
});
async function keep(me, changed) {
  const kept = await caches.match(PAGE, { ignoreVary: true });
  const mine = kept?.headers.get(OWNER) === me;
  if (kept && !mine) await forget();
  if (mine && !changed && Date.now() - Date.parse(kept.headers.get("Date")) < STALE) return;
  const asked = ++round;
  const page = await fetch(PAGE, { cache: "no-store" });
  if (!page.ok || page.headers.get(OWNER) !== me || asked !== round) return;
  const words = await page.clone().text();
  const files = [...words.matchAll(/(?:href|src)="(\/static\/[^"#]+\.(?:css|svg)[^"#]*)/g)].map((found) => found[1]);
  const cache = await caches.open(KEPT);
  if (asked !== round) return;
  await cache.put(PAGE, page);
  await cache.addAll([...new Set(files)].map((path) => path.replaceAll("&amp;", "&")));
  if (asked < round) await forget();
}
async function forget() {
  round++;
  await caches.delete(KEPT);
}
