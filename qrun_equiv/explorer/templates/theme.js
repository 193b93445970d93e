/* Light or dark: the reader's choice, else the system's. Runs before anything is drawn. */
"use strict";

(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const names = ["light", "dark"];
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* no storage: the system's */ }

  function show() {
    wear(names.includes(chosen) ? chosen : names[Number(system.matches)]);
  }

  function wear(now) {
    const other = names.find((name) => name !== now);
    root.dataset.theme = now;
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.title = `Switch to ${other} colours`;
    dispatchEvent(new Event("themechange"));
  }

  button.addEventListener("click", () => {
    chosen = names.find((name) => name !== root.dataset.theme);
    try { localStorage.setItem("theme", chosen); } catch { /* holds for this visit */ }
    show();
  });
  system.addEventListener("change", show);
  addEventListener("beforeprint", () => wear("light"));
  addEventListener("afterprint", show);
  show();
})();
