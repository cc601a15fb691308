// What the archive works on is shown as it goes: the same page is fetched again, and its parts put in place.
import { announceShown, fetchPage, keepingFocus, say } from "./page.js";

const LONGEST = 30_000;
let pause = 0;

function part() {
  return document.getElementById("progress");
}

/** Seconds between two looks; 0 where nothing is under way. */
function every() {
  return 1000 * Number(part()?.dataset.every ?? 0);
}

async function look() {
  if (document.hidden) return;
  const page = await fetchPage(location.href).catch(() => undefined);
  const now = page?.getElementById("progress");
  if (now) {
    place(part(), now);
    pause = every();
  } else pause = page === null ? 0 : Math.min(2 * pause, LONGEST); // an archive that is away is asked later each time
}

/** Put in place what has changed: whoever is about to press a button that has not, still finds it. */
function place(old, now) {
  old.dataset.every = now.dataset.every;
  const names = (one) => [...one.children].map((child) => child.id).join(" ");
  if (names(old) !== names(now)) {
    keepingFocus(old, () => old.replaceChildren(...now.childNodes));
    say("The list has changed");
  } else for (const fresh of now.querySelectorAll("[data-patch]")) patch(document.getElementById(fresh.id), fresh);
  announceShown(old);
}

function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const wasOpen = Boolean(old.querySelector("details[open]"));
  keepingFocus(old, () => {
    old.replaceWith(fresh);
    if (wasOpen) fresh.querySelector("details")?.setAttribute("open", "");
  });
}

function goOn() {
  if (!pause) return;
  setTimeout(async () => {
    await look();
    goOn();
  }, pause);
}

pause = every();
goOn();
