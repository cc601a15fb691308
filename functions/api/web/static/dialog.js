// A frame's page over the search: the same page, fetched, with the frames beside it one key away.
import { Trouble, announceShown, fetchPage, isPlainClick, isTyping, root, targetOf, troubleBox } from "./page.js";
import { hold, takeUp } from "./live.js";

const dialog = makeDialog();
let opener = null;
let shown = null;
let turn = 0; // counts what was asked for: an older answer than the last is none

function makeDialog() {
  if (!document.getElementById("results")) return null;
  const made = document.createElement("dialog");
  made.setAttribute("aria-labelledby", "frame-title");
  const top = document.createElement("div");
  top.className = "top";
  top.append(button("Previous", () => step(-1)), button("Next", () => step(1)), spacer(), pageLink(), button("Close", close));
  const body = document.createElement("div");
  body.className = "body";
  body.tabIndex = -1;
  made.append(top, body);
  made.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  made.addEventListener("click", (event) => event.target === made && close());
  document.body.append(made);
  return made;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.dataset.do = text;
  made.addEventListener("click", act);
  return made;
}

function spacer() {
  const made = document.createElement("span");
  made.className = "space";
  return made;
}

function pageLink() {
  const made = document.createElement("a");
  made.className = "button quiet";
  made.textContent = "Open as a page";
  return made;
}

async function open(url, { push = true } = {}) {
  const mine = ++turn;
  hold();
  const content = await contentOf(url);
  if (mine !== turn || content === null) return;
  if (!content) {
    location.assign(url);
    return;
  }
  const body = dialog.querySelector(".body");
  body.replaceChildren(content);
  dialog.querySelector(".top a").href = url;
  shown = idOf(url);
  for (const [name, by] of [["Previous", -1], ["Next", 1]]) dialog.querySelector(`[data-do="${name}"]`).disabled = !beside(by);
  if (!dialog.open) {
    opener = document.activeElement;
    dialog.showModal();
    if (push) history.pushState(null, "", url);
  } else if (push) history.replaceState(null, "", url);
  dialog.scrollTop = 0;
  body.focus({ preventScroll: true });
  announceShown(dialog);
}

/** What to show of a frame: its page's article, or why there is none; null if the browser has left for the login. */
async function contentOf(url) {
  try {
    const page = await fetchPage(url);
    return page && (page.querySelector("article.frame") ?? page.querySelector("main .notice") ?? undefined);
  } catch (error) {
    if (error instanceof Trouble) return troubleBox(error.message, () => open(url, { push: false }));
    return undefined;
  }
}

function idOf(url) {
  return new URL(url).pathname.split("/").at(-2);
}

function beside(by) {
  const all = [...document.querySelectorAll("#results [data-frame]")];
  const at = all.findIndex((one) => one.dataset.frame === shown);
  return at < 0 ? null : all[at + by] ?? null;
}

function step(by) {
  const link = beside(by)?.querySelector("[data-frame-link]");
  if (link) {
    opener = link;
    open(targetOf(link));
  }
}

function close() {
  if (!dialog.open) return;
  hide();
  history.back();
}

function hide() {
  turn += 1;
  dialog.close();
  dialog.querySelector(".body").replaceChildren();
  shown = null;
  opener?.isConnected && opener.focus();
  announceShown(document);
}

if (dialog) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-frame-link]");
    if (!link || !isPlainClick(event)) return;
    event.preventDefault();
    open(targetOf(link));
  });

  document.addEventListener("keydown", (event) => {
    if (!dialog.open || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(".viewer, .scroll")) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  addEventListener("popstate", () => {
    const isFrame = location.pathname.startsWith(`${root}/view/frame/`);
    if (isFrame) open(location.href, { push: false });
    else {
      turn += 1;
      if (dialog.open) hide();
      takeUp();
    }
  });
}

export function isOpen() {
  return Boolean(dialog?.open);
}

