// The switch between light and dark, and the button that prints.
"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);

  const tell = () => {
    button.textContent = isDark() ? button.dataset.light : button.dataset.dark;
    document.dispatchEvent(new CustomEvent("theme", { detail: isDark() ? "dark" : "light" }));
  };

  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  prefersDark.addEventListener("change", tell);
  document.getElementById("print").addEventListener("click", () => window.print());
  document.querySelector(".switches").hidden = false;
  tell();
})();
