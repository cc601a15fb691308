// New frames appear by themselves: while the page is looked at, the archive is asked whether there are any.
import { currentUrl, isAwaited, refresh, show, takeUp } from "./live.js";
import { isOpen } from "./dialog.js";
import { root, say } from "./page.js";

const EVERY = 10_000;
const TABLE = "#results [data-frame]";

async function look() {
  const results = document.getElementById("results");
  if (!results || document.hidden || !results.dataset.query || !results.dataset.count) return;
  const { query, count, newest } = results.dataset;
  const asked = new URLSearchParams(query);
  asked.set("limit", "1");
  asked.set("sort", "id");
  asked.set("order", "desc");
  const answer = await fetch(`${root}/frames/?${asked}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  if (results.querySelector(":scope > .trouble") && !isOpen()) takeUp(); // the archive answers again
  if (document.getElementById("results") !== results || isAwaited()) return;
  const now = await answer.json();
  const latest = now.results[0]?.id ?? 0;
  if (now.count === Number(count) && latest <= Number(newest)) return;
  const more = now.count - Number(count);
  const text = more > 0 ? (more === 1 ? "1 new frame" : `${more.toLocaleString("en")} new frames`) : "The frames have changed";
  if (isUndisturbed(results)) {
    if (!(await refresh())) return;
    mark(Number(newest));
    say(text);
  } else offer(text);
}

/** Whether the newest frames are in sight and nobody is in the middle of something. */
function isUndisturbed(results) {
  const parameters = new URL(currentUrl()).searchParams;
  const isNewestFirst = !parameters.has("sort") && !parameters.has("order") && !parameters.has("offset");
  const isBusy = results.contains(document.activeElement) || results.querySelector("details[open]");
  return isNewestFirst && !isBusy && !isOpen() && scrollY < 200;
}

function mark(newest) {
  for (const row of document.querySelectorAll(TABLE)) row.classList.toggle("new", Number(row.dataset.frame) > newest);
}

function offer(text) {
  const news = document.getElementById("news");
  if (!news) return;
  news.querySelector("button").textContent = `${text}: show`;
  if (news.hidden) say(text);
  news.hidden = false;
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#news button")) show(currentUrl(), { push: false, whole: false });
});

if (document.getElementById("results")) {
  setInterval(() => look().catch(() => {}), EVERY); // an archive that is away is asked again
  document.addEventListener("visibilitychange", () => look().catch(() => {}));
}
