// Search in the headers of a frame.
import { whenShown } from "./page.js";

whenShown((part) => {
  const field = part.querySelector("#headers .field.search");
  if (field) field.hidden = false;
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "header-search") return;
  const section = event.target.closest("#headers");
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const hdu of section.querySelectorAll("details")) {
    let here = 0;
    for (const row of hdu.querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      here += row.hidden ? 0 : 1;
    }
    found += here;
    hdu.hidden = words.length > 0 && !here;
    if (words.length && here) hdu.open = true;
  }
  section.querySelector("#header-count").textContent = words.length ? (found === 1 ? "1 card" : `${found} cards`) : "";
});
