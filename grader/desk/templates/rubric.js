// The rubric beside an answer: items that are switched on and off, and the dialog that changes one of them.
import { Failure, call, decimal, element, number, signed, typeset, wrongPoints } from "./server.js";

const get = (id) => document.getElementById(id);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export class Rubric {
  // `changed` is called when an item was switched, `refresh` when the rubric itself has changed.
  constructor(view, step, { changed, refresh }) {
    this.view = view;
    this.step = step;
    this.items = view.items;
    this.on = new Set();
    this.changed = changed;
    this.refresh = refresh;
    this.editing = null;
    this.preview = null;
    get("add").addEventListener("click", () => this.edit(null));
    get("item-form").addEventListener("submit", (event) => (event.preventDefault(), this.save("change")));
    get("item-cancel").addEventListener("click", () => get("item-dialog").close());
    get("item-up").addEventListener("click", () => this.move(-1));
    get("item-down").addEventListener("click", () => this.move(1));
    get("item-retire").addEventListener("click", () => this.save(this.editing.retired ? "offer" : "retire"));
    get("item-remove").addEventListener("click", () => this.save("remove"));
    for (const id of ["item-text", "item-points"]) get(id).addEventListener("input", () => this.forget());
  }

  // Those that are offered, and those that this answer has although they are not any more.
  get shown() {
    return this.items.filter((item) => !item.retired || this.on.has(item.id));
  }

  take(items) {
    if (JSON.stringify(items) === JSON.stringify(this.items)) return;
    this.items = items;
    for (const id of this.on) if (!items.some((item) => item.id === id)) this.on.delete(id);
    this.draw();
  }

  // Formulas are set again only where other items are to be seen.
  set(numbers) {
    this.on = new Set(numbers);
    if (this.shown.map((item) => item.id).join() === this.drawn) this.mark();
    else this.draw();
  }

  toggle(item) {
    if (!this.on.delete(item.id)) this.on.add(item.id);
    this.mark();
    this.changed();
  }

  full() {
    this.set(this.items.filter((item) => item.points > 0 && !item.retired).map((item) => item.id));
    this.changed();
  }

  nth(index) {
    return this.shown[index];
  }

  points(adjustment) {
    return this.worthOf({ items: [...this.on], adjustment });
  }

  worthOf({ items, adjustment }) {
    const sum = this.items.filter((item) => items.includes(item.id)).reduce((all, item) => all + item.points, adjustment);
    return Math.min(Math.max(sum, 0), this.view.worth);
  }

  draw() {
    this.drawn = this.shown.map((item) => item.id).join();
    get("items").replaceChildren(...this.shown.map((item, index) => this.line(item, index)));
    typeset([get("items")]);
  }

  mark() {
    for (const button of get("items").querySelectorAll(".item"))
      button.setAttribute("aria-pressed", this.on.has(Number(button.dataset.item)));
  }

  line(item, index) {
    const key = index < 9 ? String(index + 1) : index < 18 ? `⇧${index - 8}` : "";
    const kind = item.points > 0 ? "adds" : item.points < 0 ? "takes" : "none";
    const words = element("span", { class: "words" }, element("span", { html: item.html }));
    if (item.note) words.append(element("span", { class: "hint" }, item.note));
    if (item.retired) words.append(element("span", { class: "hint" }, "offered no more"));
    const button = element(
      "button",
      {
        class: `item ${kind}${item.text.length > 150 ? " long" : ""}`, type: "button", "data-item": item.id,
        "aria-pressed": String(this.on.has(item.id)), "aria-keyshortcuts": key.replace("⇧", "Shift+") || undefined, onclick: () => this.toggle(item),
      },
      element("kbd", { "aria-hidden": "true" }, key), element("span", { class: "price" }, signed(item.points)), words,
    );
    const edit = element("button", { class: "edit", type: "button", title: "change this item", "aria-label": `Change item ${index + 1}`, onclick: () => this.edit(item) }, "⋯");
    return element("li", { class: item.retired ? "retired" : undefined }, button, edit);
  }

  edit(item) {
    this.editing = item;
    this.forget();
    get("item-title").textContent = item ? "Change an item" : "A new item";
    get("item-text").value = item ? item.text : "";
    get("item-points").value = item ? item.points : 0;
    get("item-note").value = item ? item.note : "";
    get("item-more").hidden = !item;
    if (item) get("item-retire").textContent = item.retired ? "Offer again" : "Offer no more";
    get("item-dialog").showModal();
    get("item-text").focus();
  }

  forget() {
    this.preview = null;
    get("item-preview").replaceChildren();
    get("item-save").textContent = "Save";
  }

  async save(action) {
    const typed = { text: get("item-text").value, points: decimal(get("item-points").value), note: get("item-note").value };
    const wrong = wrongPoints(get("item-points").value, this.step);
    if (wrong) {
      get("item-points").focus();
      return get("item-preview").replaceChildren(element("p", { class: "notice bad" }, `${wrong}.`));
    }
    const body = { cell: this.view.cell, do: this.editing ? action : "add", item: this.editing?.id, ...typed };
    try {
      if (this.editing && (this.preview === null || this.preview.action !== action)) {
        const { preview } = await call("item", { ...body, preview: true });
        if (preview.answers) return this.show(preview, action);
        this.preview = { ...preview, action };
      }
      const reply = await call("item", { ...body, token: this.preview?.token ?? "" });
      if (reply.added) this.on.add(reply.added);
      get("item-dialog").close();
      this.items = reply.items;
      this.draw();
      if (reply.added) this.changed();
      this.refresh(reply.preview?.answers ? `${plural(reply.preview.answers, "answer")} scored anew.` : "The rubric is changed.");
    } catch (error) {
      if (error instanceof Failure && error.data.preview) this.show(error.data.preview, action);
      get("item-preview").prepend(element("p", { class: "notice bad" }, `${error.message}.`));
    }
  }

  // What the change would do, before it is done.
  show(preview, action) {
    this.preview = { ...preview, action };
    const lines = preview.steps.map(([was, now, count]) => element("li", {}, `${plural(count, "answer")} from ${number(was)} to ${number(now)}`));
    const box = element("div", { class: "notice warm" },
      element("p", {}, `${plural(preview.answers, "answer")} ${preview.answers === 1 ? "has" : "have"} this item; the points of ${preview.changed || "none"} change${preview.changed ? `, by ${signed(preview.difference)} in all` : ""}.`));
    if (lines.length) box.append(element("ul", {}, ...lines));
    if (preview.kept) box.append(element("p", {}, `${plural(preview.kept, "answer")} more, changed in formgrader since, ${preview.kept === 1 ? "keeps its" : "keep their"} marks.`));
    const words = action === "remove" ? "Take it off" : action === "retire" ? "Offer no more" : "Change";
    if (action === "change") get("item-save").textContent = `${words} ${plural(preview.answers, "answer")}`;
    else box.append(element("p", { class: "act" }, element("button", { type: "button", onclick: () => this.save(action) }, action === "remove" ? `${words} ${plural(preview.answers, "answer")}` : words)));
    get("item-preview").replaceChildren(box);
    get("item-preview").scrollIntoView({ block: "nearest" });
  }

  async move(step) {
    const order = this.items.map((item) => item.id);
    const place = order.indexOf(this.editing.id);
    if (place + step < 0 || place + step >= order.length) return;
    [order[place], order[place + step]] = [order[place + step], order[place]];
    this.items = (await call("item", { cell: this.view.cell, do: "order", order })).items;
    this.draw();
  }
}
