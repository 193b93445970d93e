(() => {
  const table = document.querySelector("table.index");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const box = document.querySelector(".filter input");
  const chips = [...document.querySelectorAll(".filter button[data-status]")];
  const shown = document.querySelector(".shown");
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const on = new Set(chips.filter(c => c.getAttribute("aria-pressed") === "true").map(c => c.dataset.status));
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(on.has(row.dataset.status) && words.every(w => text.includes(w)));
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  box.addEventListener("input", filter);
  for (const chip of chips) chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
    filter();
  });
  for (const button of table.querySelectorAll("th button")) button.addEventListener("click", () => {
    const head = button.parentElement;
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent;
    const number = head.classList.contains("number");
    const order = (a, b) => number ? Number(a) - Number(b) : a.localeCompare(b);
    const sorted = rows.map((row, k) => [key(row), k, row])
      .sort((a, b) => (up ? 1 : -1) * order(a[0], b[0]) || a[1] - b[1]);
    body.append(...sorted.map(entry => entry[2]));
  });
  document.querySelector(".filter").hidden = false;
  filter();
})();
