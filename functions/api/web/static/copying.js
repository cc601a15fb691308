// Buttons that copy what stands beside them.
import { say, whenShown } from "./page.js";

whenShown((part) => {
  for (const button of part.querySelectorAll("[data-copy]")) button.hidden = false;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    say("Copied");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  } catch {
    getSelection().selectAllChildren(text); // without TLS there is no clipboard: it is marked for copying by hand
    say("Marked: copy it with your keyboard");
  }
});
