// Colours before the first paint: runs at once, not as a module.
(() => {
  const chosen = (() => {
    try {
      return localStorage.getItem("theme") ?? "";
    } catch {
      return ""; // storage may be forbidden
    }
  })();
  if (chosen) document.documentElement.dataset.theme = chosen;
})();
