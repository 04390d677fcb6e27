// Tables are sorted by a click on a column's head; without JavaScript they stay as they are.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    let ascending = false;
    head.dataset.sort = "";
    head.title = "sort";
    const sort = () => {
      ascending = head.hasAttribute("aria-sort") ? !ascending : !head.classList.contains("number");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const sign = ascending ? 1 : -1;
      const order = (a, b) => sign * value(a).localeCompare(value(b), "en", { numeric: true });
      body.append(...[...body.rows].sort(order));
    };
    head.tabIndex = 0;
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
  });
}
