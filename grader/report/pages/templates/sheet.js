"use strict";
// Filtering, order, size, the keyboard and the large view of contact sheets. Without it they are plain links.
{
  const get = (id) => document.getElementById(id);
  const dialog = get("large");
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const nameOf = (card) => card.querySelector(".who span").textContent;
  let opened = null;

  const shownCards = (list) => [...list.children].filter((card) => !card.hidden);
  const isExpected = (card) => card.classList.contains("expected");
  const linkOf = (card) => card.querySelector("a");

  function enter(list, card, focus) {
    list.querySelectorAll('a[tabindex="0"]').forEach((link) => { link.tabIndex = -1; });
    if (!card) return;
    linkOf(card).tabIndex = 0;
    if (focus) linkOf(card).focus();
  }

  function show(card) {
    opened = card;
    const list = card.parentElement;
    get("large-name").textContent = nameOf(card);
    get("large-picture").className = list.classList[1];
    const due = isExpected(card) ? null : list.querySelector(".expected img");
    get("large-picture").replaceChildren(...[...card.querySelectorAll("img"), ...(due ? [due] : [])].map((small) => {
      const figure = document.createElement("figure"), large = document.createElement("img");
      large.src = small.dataset.large || small.src;
      large.alt = small === due ? `the expected ${list.classList[1]}` :
        `${small.dataset.caption || list.classList[1]} of ${nameOf(card)}`;
      figure.append(large);
      if (small.dataset.caption || small === due) {
        const caption = document.createElement("figcaption");
        caption.textContent = small.dataset.caption || "expected";
        figure.append(caption);
      }
      return figure;
    }));
    dialog.classList.toggle("several", get("large-picture").children.length > 1);
    get("large-page").href = linkOf(card).href;
    get("large-page").hidden = isExpected(card);
    const cards = shownCards(list), place = cards.indexOf(card);
    get("back").disabled = place === 0;
    get("on").disabled = place === cards.length - 1;
    enter(list, card, false);
    if (!dialog.open) dialog.showModal();
  }
  function step(by) {
    const cards = shownCards(opened.parentElement), next = cards[cards.indexOf(opened) + by];
    if (next) show(next);
  }

  if (dialog) {
    get("back").addEventListener("click", () => step(-1));
    get("on").addEventListener("click", () => step(1));
    get("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => linkOf(opened).focus());
    dialog.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (by) { event.preventDefault(); step(by); }
    });
  }

  document.querySelectorAll(".sheet-tools").forEach((tools) => {
    const list = get(tools.dataset.sheet), cards = [...list.children].filter((card) => !isExpected(card));
    const expected = [...list.children].filter(isExpected);
    const fields = tools.elements;

    function refresh() {
      const wanted = fields.search.value.trim().toLowerCase(), status = fields.status ? fields.status.value : "";
      const byName = (a, b) => collator.compare(nameOf(a), nameOf(b));
      const byPoints = (a, b) => a.dataset.v - b.dataset.v || byName(a, b);
      const byDifference = (a, b) => (b.dataset.d ?? -1) - (a.dataset.d ?? -1) || byName(a, b);
      const orders = { points: byPoints, difference: byDifference };
      list.append(...expected, ...[...cards].sort((fields.order && orders[fields.order.value]) || byName));
      cards.forEach((card) => {
        card.hidden = !nameOf(card).toLowerCase().includes(wanted) || (status !== "" && card.dataset.s !== status && !(card.dataset.e || "").split(",").includes(status));
      });
      list.style.setProperty("--size", `${fields.size.value}rem`);
      const shown = shownCards(list), counted = shown.filter((card) => !isExpected(card)).length;
      const count = get(`count-${list.id}`);
      count.textContent = (counted === cards.length ? "" : `${counted} of `) +
        `${cards.length} ${count.dataset.what}${cards.length === 1 ? "" : "s"}`;
      enter(list, shown[0], false);
    }

    list.addEventListener("click", (event) => {
      const card = event.target.closest("li");
      if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(card);
    });
    list.addEventListener("keydown", (event) => {
      const card = event.target.closest("li");
      if (!card || event.altKey || event.metaKey) return;
      const shown = shownCards(list), place = shown.indexOf(card);
      const top = shown[0].offsetTop, wide = shown.findIndex((other) => other.offsetTop !== top);
      const columns = wide === -1 ? shown.length : wide;
      const goal = {
        ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - columns, ArrowDown: place + columns,
        Home: 0, End: shown.length - 1,
      }[event.key];
      if (goal === undefined) return;
      event.preventDefault();
      if (shown[goal]) enter(list, shown[goal], true);
    });
    list.querySelectorAll("a").forEach((link) => { link.tabIndex = -1; });
    tools.addEventListener("input", refresh);
    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.hidden = false;
    refresh();
  });
  document.querySelectorAll(".keys").forEach((note) => { note.hidden = false; });
}
