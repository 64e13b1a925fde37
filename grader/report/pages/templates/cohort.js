"use strict";
// Sorting, filtering and the keyboard of the table of marks. Without it the table is a plain list of links.
{
  const get = (id) => document.getElementById(id);
  const map = get("map"), table = map.querySelector("table"), body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells], rows = [...body.rows];
  const names = rows.map((row) => row.cells[0].querySelector("a").textContent);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const firstItem = Number(map.dataset.first);
  let visible = rows;

  // Sorting: by name A to Z, by everything else the highest first, and back on the second press.
  function sort(column) {
    const header = headers[column];
    const first = column === 0 ? "ascending" : "descending", second = column === 0 ? "descending" : "ascending";
    const direction = header.getAttribute("aria-sort") === first ? second : first;
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const order = rows.map((row, index) => index);
    const value = (index) => Number(rows[index].cells[column].dataset.v ?? -1);
    order.sort((a, b) => (column === 0 ? collator.compare(names[a], names[b]) : value(a) - value(b)) * sign || a - b);
    order.forEach((index) => body.append(rows[index]));
    filter();
    say(`, sorted by ${header.querySelector("button").textContent}, ${direction}`);
  }

  function filter() {
    const wanted = get("search").value.trim().toLowerCase();
    const item = get("item").selectedIndex, statuses = get("status").value, flagged = get("flagged").checked;
    rows.forEach((row, index) => {
      let shown = names[index].toLowerCase().includes(wanted) && (!flagged || row.classList.contains("look"));
      if (shown && (item || statuses)) {
        const cells = item ? [row.cells[firstItem + item - 1]] : [...row.cells];
        shown = cells.some((cell) => (statuses || "afnmg").includes(cell.classList[0] || " "));
      }
      row.hidden = !shown;
    });
    visible = [...body.rows].filter((row) => !row.hidden);
    say("");
    enter(null);
  }

  function say(more) {
    const all = rows.length;
    get("count").textContent =
      (visible.length === all ? `${all} submission${all === 1 ? "" : "s"}` : `${visible.length} of ${all} submissions`) + more;
  }

  // The table is one stop of the Tab key; arrows move inside it.
  const stops = (row) => [...row.querySelectorAll("a")];
  function enter(link) {
    const current = table.querySelector('a[tabindex="0"]');
    const next = link || (current && !current.closest("tr").hidden ? current : visible.length ? stops(visible[0])[0] : null);
    if (current && current !== next) current.tabIndex = -1;
    if (next) next.tabIndex = 0;
    if (link) link.focus();
  }
  table.addEventListener("keydown", (event) => {
    const link = event.target.closest("tbody a");
    if (!link || event.altKey || event.metaKey) return;
    const row = visible.indexOf(link.closest("tr")), column = stops(visible[row]).indexOf(link);
    const last = stops(visible[row]).length - 1;
    const moves = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? visible.length - 1 : row, last],
      PageUp: [row - 10, column], PageDown: [row + 10, column],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const clamp = (value, most) => Math.max(0, Math.min(value, most));
    const there = stops(visible[clamp(moves[event.key][0], visible.length - 1)]);
    enter(there[clamp(moves[event.key][1], there.length - 1)]);
  });
  table.addEventListener("focusin", (event) => {
    const link = event.target.closest("tbody a");
    if (link && link.tabIndex !== 0) enter(link);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.matches("input,select")) {
      event.preventDefault();
      get("search").focus();
    }
  });
  document.querySelectorAll(".only").forEach((button) => {
    button.hidden = false;
    button.nextElementSibling.hidden = true;
    button.title = "show these submissions in the table";
    button.addEventListener("click", () => {
      get("tools").reset();
      get("item").value = button.dataset.item;
      get("status").value = "afnmg";
      filter();
      get("marks").scrollIntoView();
      get("item").focus({ preventScroll: true });
    });
  });

  headers.forEach((header, column) => {
    const button = header.querySelector("button");
    button.disabled = false;
    button.addEventListener("click", () => sort(column));
  });
  get("tools").addEventListener("input", filter);
  get("tools").addEventListener("submit", (event) => event.preventDefault());
  get("tools").addEventListener("reset", () => setTimeout(filter));
  get("tools").hidden = get("keys").hidden = false;
  map.removeAttribute("tabindex");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", "Marks");
  table.querySelectorAll("tbody a").forEach((link) => { link.tabIndex = -1; });
  filter();
}
