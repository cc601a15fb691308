// The bar on top: the time, and the colours.

const clock = document.getElementById("clock");
if (clock) {
  const tick = () => {
    clock.textContent = `${new Date().toISOString().slice(11, 19)} UTC`;
  };
  clock.hidden = false;
  tick();
  setInterval(tick, 1000);
}

const theme = document.getElementById("theme");
if (theme) {
  theme.closest("label").hidden = false;
  theme.value = document.documentElement.dataset.theme ?? "";
  theme.addEventListener("change", () => {
    if (theme.value) document.documentElement.dataset.theme = theme.value;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem("theme", theme.value);
    } catch {
      // storage may be forbidden: the choice then holds for this page
    }
  });
}
