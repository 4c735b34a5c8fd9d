// Tables: sorted by their headings, searched, shown in full or in part, and downloaded as CSV.
"use strict";
(() => {
  const FEW = 15;

  const valueOf = (cell) => cell.dataset.v ?? cell.textContent;

  // A spreadsheet takes a text that begins like this for a formula.
  const harmless = (text, isNumber) => (!isNumber && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  const setUp = (article) => {
    const table = article.querySelector("table");
    const body = table.tBodies[0];
    const headings = [...table.tHead.rows[0].cells];
    const numeric = headings.map((heading) => heading.classList.contains("number"));
    const rows = [...body.rows].map((row) => ({
      row,
      values: [...row.cells].map(valueOf),
      text: [...row.cells].map((cell) => `${cell.textContent} ${cell.dataset.v ?? ""}`).join(" ").toLowerCase(),
    }));
    const [search, count, all] = ["input", ".count", ".all"].map((name) => article.querySelector(name));
    const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
    let found = rows;
    let whole = false;

    const show = () => {
      const shown = whole ? found : found.slice(0, FEW);
      body.replaceChildren(...shown.map((one) => one.row));
      const some = shown.length < rows.length;
      count.textContent = (some ? count.dataset.some : count.dataset.all)
        .replace("@", shown.length.toLocaleString("en"))
        .replace("#", rows.length.toLocaleString("en"));
      all.hidden = found.length <= FEW;
      all.textContent = whole ? all.dataset.few : all.dataset.all;
    };

    const look = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      found = rows.filter((one) => words.every((word) => one.text.includes(word)));
      show();
    };

    const compare = (k, a, b) => {
      const [one, other] = [a.values[k], b.values[k]];
      if (one === "" || other === "") return one === other ? 0 : one === "" ? Infinity : -Infinity;
      return numeric[k] ? Number(one) - Number(other) : collator.compare(one, other);
    };

    const sort = (k) => {
      const was = headings[k].getAttribute("aria-sort");
      const descending = was === null ? numeric[k] : was === "ascending";
      headings.forEach((heading) => heading.removeAttribute("aria-sort"));
      headings[k].setAttribute("aria-sort", descending ? "descending" : "ascending");
      // What is not there stands last, whichever way the rest is sorted.
      rows.sort((a, b) => {
        const order = compare(k, a, b);
        return descending && Number.isFinite(order) ? -order : order;
      });
      look();
    };

    headings.forEach((heading, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.title = heading.dataset.label;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(k));
    });
    search.addEventListener("input", look);
    all.addEventListener("click", () => {
      whole = !whole;
      show();
    });
    article.querySelector(".download").addEventListener("click", () => {
      const lines = [headings.map((heading) => heading.dataset.name)];
      lines.push(...found.map((one) => one.values.map((value, k) => harmless(value, numeric[k]))));
      const text = lines.map((line) => line.map(quoted).join(",")).join("\r\n");
      // The mark at the beginning tells Excel that Chinese names are UTF-8.
      const url = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv;charset=utf-8" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${article.dataset.table}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    article.querySelector(".tools").hidden = false;
    show();
  };

  document.querySelectorAll("article.table").forEach(setUp);
})();
