// SPDX-License-Identifier: Apache-2.0
// Tables can be sorted by a click on a heading; without scripts they stay in the order of the report.
"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const key = (row) => {
        const cell = row.cells[column];
        return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
      };
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (typeof x === "number" && typeof y === "number") return direction * (x - y);
        // cells without a number come last, whatever the direction
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        return direction * x.localeCompare(y, "en", { numeric: true });
      };
      body.append(...original.slice().sort(compare));
    });
  });
}
