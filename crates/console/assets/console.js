// The console's one script: keys, copying, and live updates. Every page reads the same without it.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const isTyping = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

// The picture of an execution may be larger than its frame: the state that is told about is brought into it.
const chosen = (root) => $(".canvas .chosen", root)?.getAttribute("href") ?? "";
const showChosen = (root) => {
  const state = $(".canvas .chosen", root);
  const frame = state?.closest(".canvas");
  if (!frame) return;
  const [inner, outer] = [state.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
  frame.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
};
showChosen(document);

// Live updates. The server says only that something changed; the page is asked for again, and those of its parts that
// are marked `data-live` are replaced.
const replaceParts = (fresh) => {
  for (const part of $$("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.outerHTML === part.outerHTML) continue;
    if (part.contains(document.activeElement) && isTyping(document.activeElement)) continue;
    const opened = new Set($$("details[id][open]", part).map((d) => d.id));
    const ticked = new Set($$("input:checked", part).map((i) => i.value));
    const scrolled = $$("[id]", part).filter((e) => e.scrollTop || e.scrollLeft).map((e) => [e.id, e.scrollTop, e.scrollLeft]);
    const was = chosen(part);
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    const focused = active?.id;
    const link = active?.getAttribute("href");
    const row = $$("[data-row]", part).findIndex((r) => r.classList.contains("at"));
    part.replaceWith(document.adoptNode(next));
    for (const button of $$("[data-copy]", next)) button.hidden = false;
    for (const details of $$("details[id]", next)) if (opened.has(details.id)) details.open = true;
    for (const input of $$("input[type=checkbox]", next)) if (ticked.has(input.value)) input.checked = true;
    for (const [id, top, left] of scrolled) document.getElementById(id)?.scrollTo(left, top);
    if (chosen(next) !== was) showChosen(next);
    if (row >= 0) $$("[data-row]", next)[row]?.classList.add("at");
    const again = focused ? document.getElementById(focused) : link && $(`a[href="${CSS.escape(link)}"]`, next);
    again?.focus({ preventScroll: true });
  }
};

let asking = false;
let again = false;
const refresh = async () => {
  if (asking) { again = true; return; }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" });
    if (answer.ok) replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* the stream tells again, or it reconnects */ }
  asking = false;
  if (again) { again = false; refresh(); }
};

const events = document.body.dataset.events;
if (events && "EventSource" in window) {
  let stream = null;
  const listen = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(events);
    const pulse = $("#pulse");
    stream.onopen = () => { if (pulse) pulse.hidden = false; };
    stream.onerror = () => { if (pulse) pulse.hidden = true; };
    stream.addEventListener("changed", refresh);
    stream.addEventListener("ended", () => { stream.close(); if (pulse) pulse.hidden = true; refresh(); });
  };
  // A hidden page asks for nothing.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream?.close(); stream = null; }
    else { listen(); refresh(); }
  });
  listen();
}

// Copying
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  const was = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  $("#announce").textContent = button.textContent;
  setTimeout(() => { button.textContent = was; }, 1500);
});
for (const button of $$("[data-copy]")) button.hidden = false;

// A select that is a filter is sent at once; without the script there is a button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Keys
let prefix = "";
const rows = () => $$("[data-row]");
const move = (by) => {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("at"));
  const to = Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by));
  all[at]?.classList.remove("at");
  all[to].classList.add("at");
  all[to].scrollIntoView({ block: "nearest" });
  const link = $("a", all[to]);
  link?.focus({ preventScroll: true });
};
const KEYS = {
  "/": () => $("[data-search]")?.focus(),
  "?": () => $("#help").showModal(),
  j: () => move(1),
  k: () => move(-1),
  n: () => $("a[rel=next]")?.click(),
  p: () => $("a[rel=prev]")?.click(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if ($("dialog[open]")) return;
  if (prefix === "g") {
    prefix = "";
    const link = $(`nav a[data-key="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "g") { prefix = "g"; setTimeout(() => { prefix = ""; }, 1200); return; }
  if (event.key === "Enter" && event.target === document.body) { $("[data-row].at a")?.click(); return; }
  const action = KEYS[event.key];
  if (action) { event.preventDefault(); action(); }
});
