// Saves one answer after another, in the order in which they were given. What could not be saved is kept, and shown
// with the reason until it is; where somebody else was faster, both versions are shown.
import { call, element, points } from "./server.js";

const get = (id) => document.getElementById(id);

export class Saver {
  // `say` shows a line, `open` opens an answer, `saved` gets what the server brought along.
  constructor({ say, open, saved }) {
    this.say = say;
    this.open = open;
    this.saved = saved;
    this.queue = []; // sent, or about to be
    this.lost = []; // could not be saved
    this.last = Promise.resolve();
    this.conflict = null;
    get("keep-theirs").addEventListener("click", () => this.settle(false));
    get("use-mine").addEventListener("click", () => this.settle(true));
    get("conflict").addEventListener("cancel", (event) => event.preventDefault());
  }

  get pending() {
    return this.queue.length;
  }

  get failed() {
    return this.lost.length + (this.conflict ? 1 : 0);
  }

  answers() {
    return [...this.queue, ...this.lost].map((entry) => entry.task.answer);
  }

  idle() {
    return this.last;
  }

  // `wishes` says, when it is sent, what is to come along.
  save(task, given, wishes) {
    const entry = { task, given, wishes, version: task.version };
    this.queue.push(entry);
    this.last = this.last.then(() => this.send(entry));
    return this.last;
  }

  async send(entry) {
    const { task, given, version, wishes } = entry;
    try {
      const body = { ...wishes(), cell: task.cell, answer: task.answer, given, version, second: task.second };
      const reply = await call("save", body);
      this.drop(entry);
      const first = task.second ? "" : ": somebody else had marked it first";
      const kept = reply.second ? `, as a second reading${first}` : "";
      this.say(`Saved: ${points(reply.points)} for ${task.name || `answer ${task.number}`}${kept}.`, "good");
      this.saved(reply);
    } catch (error) {
      this.drop(entry);
      if (error.data?.theirs) this.ask(entry, error.data);
      else {
        entry.reason = error.message;
        this.lost.push(entry);
      }
    }
    this.show();
  }

  drop(entry) {
    this.queue = this.queue.filter((one) => one !== entry);
    this.lost = this.lost.filter((one) => one !== entry);
  }

  show() {
    const banner = get("unsaved");
    banner.hidden = !this.lost.length;
    banner.replaceChildren(
      ...this.lost.map((entry) =>
        element("div", {},
          element("span", {}, `Not saved: ${entry.task.name || `answer ${entry.task.number}`}: ${entry.reason}.`),
          element("button", { type: "button", onclick: () => this.again(entry) }, "Save again"),
          element("button", { type: "button", onclick: () => this.giveUp(entry) }, "Give up"))),
    );
  }

  again(entry) {
    this.drop(entry);
    this.save(entry.task, entry.given, () => ({}));
    this.show();
  }

  giveUp(entry) {
    this.drop(entry);
    this.show();
    this.open(entry.task.answer);
  }

  ask(entry, data) {
    this.conflict = { entry, version: data.version };
    const theirs = data.theirs;
    const who = theirs.elsewhere ? "formgrader" : theirs.marker || "somebody";
    get("conflict-text").textContent = `${entry.task.name || `Answer ${entry.task.number}`} was marked by ${who} while you had it open. Yours was not saved.`;
    const version = (given, comment) => [element("b", {}, given === null ? "no points" : points(given)), element("pre", {}, comment || "no comment")];
    get("theirs").replaceChildren(...version(theirs.points, theirs.comment));
    const mine = entry.given;
    const words = [...document.querySelectorAll(".item")]
      .filter((one) => mine.items.includes(Number(one.dataset.item))).map((one) => `- ${one.querySelector(".words").textContent}`);
    get("mine").replaceChildren(...version(this.pointsOf(mine), [...words, mine.reason, mine.comment].filter(Boolean).join("\n")));
    if (!get("conflict").open) get("conflict").showModal();
  }

  pointsOf(given) {
    const price = (one) => Number(one.querySelector(".price").textContent.replace("−", "-"));
    const items = [...document.querySelectorAll(".item")].filter((one) => given.items.includes(Number(one.dataset.item)));
    return Math.max(0, items.reduce((all, one) => all + price(one), given.adjustment));
  }

  settle(mine) {
    const { entry, version } = this.conflict;
    this.conflict = null;
    get("conflict").close();
    if (mine) this.save({ ...entry.task, version }, entry.given, () => ({}));
    else this.say("What was there stays.", "good");
  }
}
