// Searches without reload: the same pages are fetched, and their parts put in place.
import { Trouble, announceShown, fetchPage, isPlainClick, keepingFocus, root, say, targetOf, troubleBox } from "./page.js";

const TYPED_LIVE = new Set(["OBJECT", "basename"]);
const PAUSE = 400;

let current = location.href;
let running = null;
let pending = 0;
let wish = null; // what was asked for and is not shown yet: its URL, and how

export function currentUrl() {
  return current;
}

function isSearch(url) {
  const { origin, pathname } = new URL(url, location.href);
  return origin === location.origin && pathname === `${root}/`;
}

/** Whether somebody waits for a search. */
export function isAwaited() {
  return wish !== null;
}

/** Put off whatever search is under way, since a frame is looked at. */
export function hold() {
  clearTimeout(pending);
  running?.abort();
  running = null;
}

/** Take up what was put off. */
export function takeUp() {
  if (wish && !running) show(wish.url, wish.how);
}

/** Show a search. `whole` also puts the form in place, as after a link; without, what is being typed stays. */
export async function show(url, { push = true, whole = true } = {}) {
  const target = new URL(url, location.href).href;
  hold();
  wish = { url: target, how: { push, whole } };
  const { signal } = (running = new AbortController());
  document.getElementById("results")?.classList.add("loading");
  try {
    const page = await fetchPage(target, signal);
    if (page === null || signal.aborted) return;
    if (!page.getElementById("results")) {
      location.assign(target);
      return;
    }
    place(page, whole);
    wish = running = null;
    current = target;
    if (push) history.pushState(null, "", target);
    document.title = page.title;
    say(document.getElementById("found").textContent);
  } catch (error) {
    if (error instanceof Trouble) tell(error.message);
    else if (error.name !== "AbortError") location.assign(target);
  }
}

/** Show the same search anew, unless somebody has asked for another meanwhile; whether it was shown. */
export async function refresh() {
  if (wish) return false;
  const { signal } = (running = new AbortController());
  const page = await fetchPage(current, signal).catch(() => null); // nobody waits for it
  if (signal.aborted) return false;
  running = null;
  if (!page?.getElementById("results")) return false;
  place(page, false);
  return true;
}

/** What was found before stays in sight, pale, until the search is tried again. */
function tell(text) {
  running = null;
  document.querySelector("#results > .trouble")?.remove();
  document.getElementById("results").prepend(troubleBox(text, takeUp));
}

function place(page, whole) {
  keepingFocus(document.getElementById("main"), () => swapParts(page, whole));
  announceShown(document);
}

function swapParts(page, whole) {
  const areOpen = ["display", "examples"].filter((id) => document.getElementById(id)?.open);
  const isOpen = document.getElementById("filters").open;
  swap(page, "results");
  if (whole) {
    swap(page, "search");
    document.getElementById("filters").open = isOpen;
  } else {
    swap(page, "choices");
    swap(page, "presets");
    document.querySelector("#filters > summary").replaceWith(page.querySelector("#filters > summary"));
    markProblems(page);
  }
  for (const id of areOpen) document.getElementById(id)?.setAttribute("open", "");
}

function swap(page, id) {
  document.getElementById(id).replaceWith(page.getElementById(id));
}

function markProblems(page) {
  for (const input of document.querySelectorAll("#search [name]")) {
    const other = page.getElementById(input.id);
    for (const name of ["aria-invalid", "aria-describedby"]) {
      if (other?.hasAttribute(name)) input.setAttribute(name, other.getAttribute(name));
      else input.removeAttribute(name);
    }
  }
}

function forget() {
  hold();
  wish = null;
  const results = document.getElementById("results");
  results.classList.remove("loading");
  results.querySelector(":scope > .trouble")?.remove();
}

/** The URL that a form of the search page stands for, without what is empty; names are looked up when asked for only. */
function urlOf(form) {
  const isMeant = ([name, value]) => typeof value === "string" && value.trim() && !["columns", "resolve"].includes(name);
  const values = [...new FormData(form)].filter(isMeant);
  const columns = new FormData(form).getAll("columns").join(",");
  if (columns) values.push(["columns", columns]);
  return `${root}/?${new URLSearchParams(values)}`;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "search" && form.id !== "showing") return;
  if (form.elements.resolve?.value) return;
  event.preventDefault();
  show(urlOf(form), { whole: form.id === "showing" });
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.id !== "search" || !event.target.name || event.target.name === "resolve") return;
  if (!isHalfPlace(event.target)) show(urlOf(form), { whole: false });
});

/** Whether this is one half of a position whose other half is still to come, or to go. */
function isHalfPlace(input) {
  const { RA, DEC } = input.form.elements;
  return (input === RA || input === DEC) && Boolean(RA.value.trim()) !== Boolean(DEC.value.trim());
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.id !== "search" || !TYPED_LIVE.has(event.target.name)) return;
  clearTimeout(pending);
  wish = { url: urlOf(form), how: { push: true, whole: false } };
  pending = setTimeout(takeUpTyped, PAUSE);
});

function takeUpTyped() {
  if (wish) show(wish.url, wish.how);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-live]");
  if (!link || !isPlainClick(event) || !document.getElementById("results")) return;
  event.preventDefault();
  show(targetOf(link));
  if (link.closest(".pager")) document.getElementById("main").scrollIntoView();
});

/** Whether a URL stands for another search than the one in sight; a place on the page is none. */
function isElsewhere(url) {
  return url.split("#")[0] !== current.split("#")[0];
}

addEventListener("popstate", () => {
  if (!isSearch(location.href)) return;
  if (isElsewhere(location.href)) show(location.href, { push: false });
  else if (wish && !wish.how.push) forget(); // Back was followed by Forward: what is wanted is in sight
});

// On a small screen the filters fold up once there are results to see.
const filters = document.getElementById("filters");
if (filters && matchMedia("(max-width: 60rem)").matches) filters.open = false;
