// The page of uploads: a few files at a time, how far each is, and what became of it.
import { chosen, dropped } from "./picking.js";
import { Refusal, ask, sendFile } from "./sending.js";
import { root, written } from "./page.js";

const AT_ONCE = 3;
const MOST_BYTES = 60_000;
const FIRST_LOOK = 1000;
const LONGEST_LOOK = 20_000;
const WORDS = {
  queued: "Waits",
  sending: "Is sent",
  waiting: "Is there; waits to be indexed",
  stopped: "Stopped",
};

const section = document.getElementById("upload");
const items = [];
let looking = 0;
let pause = FIRST_LOOK;
let shownAt = 0;
const pace = { since: 0, bytes: 0 };

const element = (id) => document.getElementById(id);
const having = (...states) => items.filter((item) => states.includes(item.state));
const isRunning = () => having("queued", "sending").length > 0;

function keyOf(path) {
  const before = element("key-prefix").value.trim().replace(/^\/+/, "");
  const key = before + path;
  return key.includes("/") ? key : `uploads/${key}`;
}

function add(files) {
  for (const { file, path } of files.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const item = { file, key: keyOf(path), size: file.size, sent: 0, state: "queued", words: "", control: null };
    const same = items.find((other) => other.key === item.key);
    if (same && ["queued", "sending"].includes(same.state)) continue;
    if (same) remove(same);
    item.row = row(item);
    items.push(item);
    if (!file.size) set(item, "refused", "The file is empty.");
  }
  start();
}

function row(item) {
  const made = element("file-row").content.firstElementChild.cloneNode(true);
  made.querySelector("[data-key]").textContent = item.key;
  made.querySelector("[data-size]").textContent = written(item.size);
  made.querySelector("[data-done]").setAttribute("aria-label", `Sent of ${item.key}`);
  made.querySelector("[data-act]").addEventListener("click", () => act(item));
  element("list").append(made);
  return made;
}

function remove(item) {
  item.row.remove();
  items.splice(items.indexOf(item), 1);
}

function act(item) {
  if (item.state === "sending") item.control.abort();
  else if (item.state === "queued") set(item, "stopped");
  else again(item);
  start();
}

function again(item) {
  item.sent = 0;
  set(item, "queued");
}

function start() {
  for (const item of having("queued").slice(0, Math.max(AT_ONCE - having("sending").length, 0))) send(item);
  show(true);
}

async function send(item) {
  if (!having("sending").length) Object.assign(pace, { since: performance.now(), bytes: 0 });
  item.control = new AbortController();
  set(item, "sending");
  try {
    item.key = await sendFile(item.file, item.key, {
      token: section.dataset.token,
      signal: item.control.signal,
      onSent: (sent) => sentSo(item, sent),
      onTrouble: (words) => set(item, "sending", `Is tried again: ${words}`),
    });
    sentSo(item, item.size);
    set(item, "waiting");
    pause = FIRST_LOOK;
    lookLater();
  } catch (error) {
    if (error.name === "AbortError") set(item, "stopped");
    else set(item, "refused", error instanceof Refusal ? error.message : "The file cannot be read.");
  }
  start();
}

function sentSo(item, sent) {
  pace.bytes += Math.max(sent - item.sent, 0);
  item.sent = sent;
  item.row.querySelector("[data-done]").value = item.size ? sent / item.size : 1;
  show();
}

function set(item, state, words = "") {
  Object.assign(item, { state, words });
  item.row.dataset.state = state;
  const place = item.row.querySelector("[data-state]");
  place.textContent = words || WORDS[state] || "";
  if (state === "indexed") {
    const link = document.createElement("a");
    link.href = `${root}/view/frame/${item.frame}/`;
    link.textContent = "Look at the frame";
    place.replaceChildren("Indexed: ", link);
  }
  item.row.querySelector("[data-done]").hidden = ["indexed", "failed", "refused"].includes(state);
  const button = item.row.querySelector("[data-act]");
  button.textContent = ["queued", "sending"].includes(state) ? "Stop" : "Try again";
  button.hidden = !item.size || ["waiting", "indexed"].includes(state);
  button.setAttribute("aria-label", `${button.textContent}: ${item.key}`);
}

/** How far all of it is; figures that change all the time are shown a few times a second. */
function show(isDue = false) {
  const now = performance.now();
  if (!isDue && now - shownAt < 250) return;
  shownAt = now;
  element("all").hidden = !items.length;
  const total = items.reduce((sum, item) => sum + item.size, 0);
  const gone = items.reduce((sum, item) => sum + (["waiting", "indexed", "failed"].includes(item.state) ? item.size : item.sent), 0);
  element("all-done").value = total ? gone / total : 0;
  const counts = [
    [having("waiting", "indexed", "failed").length, `of ${items.length} sent`],
    [having("indexed").length, "indexed"],
    [having("failed").length, "not indexed"],
    [having("refused").length, "not sent"],
  ];
  const text = counts.filter(([count], at) => count || !at).map(([count, words]) => `${count} ${words}`).join(", ");
  element("all-text").textContent = text;
  const rate = pace.bytes / Math.max((now - pace.since) / 1000, 0.1);
  element("all-rate").textContent = isRunning() && rate ? `${written(gone)} of ${written(total)}, ${written(rate)}/s` : `${written(gone)} of ${written(total)}`;
  element("stop-all").hidden = !isRunning();
  element("again-all").hidden = !having("refused", "stopped", "failed").length;
  element("clear-done").hidden = !having("indexed").length;
  if (isDue && !isRunning() && !having("waiting").length) element("all-told").textContent = text;
}

function lookLater() {
  clearTimeout(looking);
  looking = setTimeout(look, pause);
}

/** As many as go into one question, whose length is bounded as well. */
function bounded(waiting) {
  let bytes = 0;
  return waiting.filter((item) => (bytes += 3 * item.key.length + 4) < MOST_BYTES);
}

/** Ask what became of what was sent, the longer nothing happens the less often. */
async function look() {
  const waiting = bounded(having("waiting").slice(0, Number(section.dataset.most)));
  if (!waiting.length) return;
  try {
    const { results } = await ask("uploads/status/", { keys: waiting.map((item) => item.key) }, section.dataset.token);
    const settled = waiting.filter((item, at) => settle(item, results[at])).length;
    pause = settled ? FIRST_LOOK : Math.min(pause * 1.5, LONGEST_LOOK);
    // Those that wait longest do not keep the others from being asked after.
    for (const item of waiting.filter((one) => one.state === "waiting")) items.push(...items.splice(items.indexOf(item), 1));
  } catch (error) {
    for (const item of waiting) item.row.querySelector("[data-state]").textContent = `${WORDS.waiting}. ${error.message}`;
    pause = Math.min(pause * 2, LONGEST_LOOK);
  }
  show(true);
  lookLater();
}

function settle(item, told) {
  if (told.state === "indexed") {
    item.frame = told.frame_id;
    set(item, "indexed");
  } else if (told.state === "failed") set(item, "failed", `Not indexed: ${told.reason}`);
  else if (told.state === "absent") set(item, "failed", "Not indexed: it was removed from the bucket.");
  else if (told.reason) item.row.querySelector("[data-state]").textContent = `Waits to be indexed: ${told.reason}`;
  return item.state !== "waiting";
}

function example() {
  element("key-example").textContent = `m51.fits becomes ${keyOf("m51.fits")}`;
}

if (section) {
  section.hidden = false;
  document.querySelector('label[for="folder"]').hidden = !("webkitdirectory" in element("folder"));
  example();
  element("key-prefix").addEventListener("input", example);
  for (const id of ["files", "folder"]) {
    element(id).addEventListener("change", (event) => {
      add(chosen(event.target.files));
      event.target.value = "";
    });
  }
  element("stop-all").addEventListener("click", () => {
    for (const item of having("queued")) set(item, "stopped");
    for (const item of having("sending")) item.control.abort();
    show(true);
  });
  element("again-all").addEventListener("click", () => {
    for (const item of having("refused", "stopped", "failed").filter((one) => one.size)) again(item);
    start();
  });
  element("clear-done").addEventListener("click", () => {
    for (const item of having("indexed")) remove(item);
    show(true);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // a file that misses the place does not replace the page
      element("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop") dropped(event.dataTransfer).then(add, () => add([]));
    });
  }
  addEventListener("beforeunload", (event) => {
    if (!isRunning()) return;
    event.preventDefault();
    event.returnValue = true; // for browsers that do not know the other way
  });
}
