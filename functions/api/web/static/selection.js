// Frames that are chosen stay so from page to page, until they are downloaded or the tab is closed.
import { whenShown, written } from "./page.js";

const KEY = "chosen";
const chosen = new Map(stored());
let last = null;

function stored() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return []; // storage may be forbidden, or hold something else
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...chosen]));
  } catch {
    // as above: they stay chosen on this page
  }
  render();
}

function boxes(part = document) {
  return [...part.querySelectorAll('[data-chosen] input[name="frame_ids[]"]')];
}

function put(box, isChosen) {
  if (isChosen) chosen.set(box.value, Number(box.closest("[data-size]").dataset.size));
  else chosen.delete(box.value);
}

function render() {
  for (const box of boxes()) box.checked = chosen.has(box.value);
  const bytes = [...chosen.values()].reduce((sum, size) => sum + size, 0);
  const text = chosen.size ? `${chosen.size.toLocaleString("en")} chosen, ${written(bytes)}` : "Choose frames to download";
  for (const basket of document.querySelectorAll("[data-basket]")) {
    basket.classList.toggle("idle", !chosen.size);
    const count = basket.querySelector("[data-basket-count]");
    if (count.textContent !== text) count.textContent = text;
    for (const button of basket.querySelectorAll("[data-basket-go]")) button.disabled = !chosen.size;
    basket.querySelector("[data-basket-clear]").hidden = !chosen.size;
  }
  for (const all of document.querySelectorAll("[data-all]")) {
    const here = boxes(all.closest("form"));
    all.hidden = false;
    all.checked = here.length > 0 && here.every((box) => box.checked);
    all.indeterminate = !all.checked && here.some((box) => box.checked);
  }
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches("[data-all]")) {
    for (const one of boxes(box.closest("form"))) put(one, box.checked);
    keep();
  } else if (box.matches('[data-chosen] input[name="frame_ids[]"]')) {
    put(box, box.checked);
    keep();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-basket-clear]")) {
    chosen.clear();
    keep();
    return;
  }
  const box = event.target;
  if (!box.matches?.('[data-chosen] input[name="frame_ids[]"]')) return;
  const here = boxes(box.closest("form"));
  if (event.shiftKey && last && here.includes(last)) {
    const [from, to] = [here.indexOf(last), here.indexOf(box)].sort((a, b) => a - b);
    for (const one of here.slice(from, to + 1)) put(one, box.checked);
    keep();
  }
  last = box;
});

// A form sends its own boxes; those of other pages go with them.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-chosen]")) return;
  for (const old of form.querySelectorAll("input[data-elsewhere]")) old.remove();
  const here = new Set(boxes(form).map((box) => box.value));
  for (const id of chosen.keys()) {
    if (here.has(id)) continue;
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "frame_ids[]", value: id });
    input.dataset.elsewhere = "";
    form.append(input);
  }
});

whenShown(render);
addEventListener("pageshow", render);
