// What all modules share: the archive's address, and how parts of a page come to life.

export const root = document.documentElement.dataset.root;

/** Call `act` with each part of the page that is shown, now and whenever one is put in place. */
export function whenShown(act) {
  document.addEventListener("fitsvault:shown", (event) => act(event.detail));
}

export function announceShown(part) {
  document.dispatchEvent(new CustomEvent("fitsvault:shown", { detail: part }));
}

/** Put something in place, and the focus back to what had it within `part`, by its id. */
export function keepingFocus(part, act) {
  const focused = document.activeElement;
  const id = focused && part.contains(focused) ? focused.id : "";
  act();
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}

/** Tell people who listen to the page. */
export function say(text) {
  const place = document.getElementById("told");
  if (place) place.textContent = text;
}

/** The archive, or what is between, failed for now: the same may well be answered later. */
export class Trouble extends Error {}

const AWAY = "The archive does not answer.";

/** Fetch a page of the archive as a document; null where the session is over, and the browser has left for the login. */
export async function fetchPage(url, signal) {
  const answer = await asked(url, signal);
  if (new URL(answer.url).pathname.startsWith(`${root}/accounts/login/`)) {
    location.assign(url);
    return null;
  }
  const kind = answer.headers.get("content-type") ?? "";
  const page = kind.startsWith("text/html") ? new DOMParser().parseFromString(await textOf(answer), "text/html") : null;
  if (answer.status === 429 || answer.status >= 500) throw new Trouble(page?.querySelector("main .notice p")?.textContent ?? AWAY);
  if (!page) throw new Error(`The archive answered ${answer.status}.`);
  return page;
}

async function asked(url, signal) {
  try {
    return await fetch(url, { signal, headers: { Accept: "text/html" }, credentials: "same-origin" });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Trouble(navigator.onLine ? AWAY : "This computer is offline.");
  }
}

async function textOf(answer) {
  try {
    return await answer.text();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Trouble("The answer broke off.");
  }
}

/** A box that tells of trouble, and tries again when its button is pressed. */
export function troubleBox(text, again) {
  const box = document.createElement("div");
  box.className = "notice trouble";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", again);
  box.append(words, button);
  return box;
}

/** What forms must carry now: who has logged in anew in another tab has another one than when this page was made. */
export function formToken(made) {
  return /(?:^|; )csrftoken=([0-9a-f]{64})(?:;|$)/.exec(document.cookie)?.[1] ?? made;
}

document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll('input[name="csrfmiddlewaretoken"]')) field.value = formToken(field.value);
});

/** Bytes as people read them. */
export function written(bytes) {
  const prefixes = ["B", "kB", "MB", "GB", "TB", "PB"];
  let scaled = bytes;
  let at = 0;
  while (scaled >= 999.5 && at < prefixes.length - 1) {
    scaled /= 1000;
    at += 1;
  }
  return `${at && scaled < 99.95 ? scaled.toPrecision(3) : Math.round(scaled)} ${prefixes[at]}`;
}

/** Where a link leads; those of SVG tell it in another way than those of HTML. */
export function targetOf(link) {
  return new URL(link.getAttribute("href"), location.href).href;
}

export function isPlainClick(event) {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}

export function isTyping(element) {
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}
