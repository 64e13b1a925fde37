// The marking page: one answer after another. The next one is fetched, and its formulas are set, while this one is
// read; what was given is saved while the next one is shown, and the page is not left before it is.
import { draw } from "./answer.js";
import { drafts } from "./drafts.js";
import { Rubric } from "./rubric.js";
import { Saver } from "./saver.js";
import { call, decimal, element, number, points, root, tell, typeset, wrongPoints } from "./server.js";

const get = (id) => document.getElementById(id);
const { view, answer: wanted, renewed, step, marker } = JSON.parse(get("data").textContent);
const cell = view.cell;

let task = null; // what is shown
let ahead = null; // a promise of the next one
let zero = false; // somebody said that nothing applies
let busy = false;
let counted = ""; // how many are left
const passed = new Set(); // passed on without a mark, by this page
const trail = []; // what was shown, for the way back

const rubric = new Rubric(view, step, { changed: update, refresh: (words) => say(words, "good") });
const saver = new Saver({ say, open: openAnswer, saved });

// ---- what is given

function given() {
  const adjustment = decimal(get("adjustment").value);
  return {
    items: [...rubric.on].sort((a, b) => a - b),
    adjustment,
    reason: adjustment ? get("reason").value.trim() : "",
    comment: get("comment").value.trim(),
  };
}

function touched() {
  if (!task) return false;
  const before = task.given ?? { items: [], adjustment: 0, reason: "", comment: "" };
  return zero || JSON.stringify(given()) !== JSON.stringify({ ...before, reason: before.reason.trim(), comment: before.comment.trim() });
}

function update() {
  const now = given();
  if (now.items.length) zero = false;
  const unsaved = task && touched();
  const unknown = !task || (!task.marked && !unsaved) || Number.isNaN(now.adjustment);
  get("points").textContent = unknown ? "–" : number(rubric.points(now.adjustment));
  get("zero").setAttribute("aria-pressed", String(zero));
  if (unsaved) drafts.keep(task, marker, { ...now, reason: get("reason").value, comment: get("comment").value, typed: get("adjustment").value, zero });
  else if (task) drafts.drop(task, marker);
}

function fill() {
  const draft = task && drafts.of(task, marker);
  put(draft ?? task?.given ?? { items: [], adjustment: 0, reason: "", comment: "" });
  if (draft) say("What stands here is from before, and not saved yet.", "warm");
}

function put(state) {
  zero = Boolean(state.zero);
  rubric.set(state.items.filter((id) => rubric.items.some((item) => item.id === id)));
  get("adjustment").value = state.typed ?? number(state.adjustment);
  get("reason").value = state.reason;
  get("adjusting").open = decimal(get("adjustment").value) !== 0;
  get("comment").value = state.comment;
  update();
  showOffer();
}

// What an undo took back: what stood before it is shown, and one key puts this into the fields again.
function showOffer() {
  const offer = task && drafts.offered(task, marker);
  get("offer").hidden = !offer;
  if (!offer) return;
  const words = [offer.reason, offer.comment].filter(Boolean).join(" ");
  get("offer-text").textContent = `You had given ${points(rubric.worthOf(offer))}${words ? `: ${words.length > 90 ? `${words.slice(0, 90)} …` : words}` : "."}`;
}

function takeOffer() {
  const offer = task && drafts.offered(task, marker);
  if (!offer) return say("Nothing was taken back here.");
  drafts.withdraw(task, marker);
  // Giving nothing was a choice, too: without this it could not be saved again.
  put({ ...offer, zero: !offer.items.length && !offer.adjustment });
  say("This is what you had given; Enter saves it.", "warm");
}

function say(text, kind = "") {
  get("status").textContent = text;
  get("status").className = kind;
}

// ---- from one answer to the next

function count(reply) {
  if (reply.left === undefined) return;
  const left = Math.max(0, reply.left - saver.pending);
  counted = left ? `${left} of ${reply.all} left` : "none left";
  tally();
  get("done").style.width = `${reply.all ? 100 * (1 - left / reply.all) : 100}%`;
}

// The second readings come when all else is marked: they are not among those that are left.
function tally() {
  get("left").textContent = counted && task?.second ? `${counted}; second readings` : counted;
}

async function prepared(reply) {
  count(reply);
  if (reply.items) rubric.take(reply.items);
  if (!reply.task) return null;
  const article = draw(reply.task, { group: openGroup });
  get("wings").replaceChildren(article);
  await typeset([article]);
  return { task: reply.task, article };
}

const wishes = () => ({
  cell, passed: [...new Set([...passed, ...saver.answers(), ...(task ? [task.answer] : [])])],
  alike: get("alike").checked, everyone: Boolean(get("everyone")?.checked),
});

function fetchAhead() {
  ahead = call("next", wishes()).then(prepared);
  ahead.catch(() => {});
}

async function showNext() {
  busy = true;
  try {
    if (!ahead) fetchAhead();
    show(await ahead);
  } catch (error) {
    say(`The next answer did not come: ${error.message}.`, "warm");
    ahead = null;
  }
  busy = false;
}

function show(next) {
  ahead = null;
  task = next?.task ?? null;
  tally();
  get("stage").replaceChildren(next ? next.article : finished());
  fill();
  for (const id of ["save", "skip", "full", "zero"]) get(id).disabled = !task;
  window.scrollTo(0, 0);
  get("middle").scrollTop = 0;
  (get("stage").querySelector("h2") ?? document.body).focus({ preventScroll: true });
  if (!task) return;
  if (trail.at(-1) !== task.answer) trail.push(task.answer);
  // What is being saved brings the next one along.
  if (!saver.pending) fetchAhead();
}

function finished() {
  const box = element("div", { class: "task finished" }, element("h2", { tabindex: "-1" }, passed.size ? "Nothing else is open" : "All answers to this question are marked"));
  if (passed.size)
    box.append(element("p", {}, element("button", { type: "button", onclick: () => (passed.clear(), showNext()) }, `Go through the ${passed.size} that you passed on`)));
  const after = document.querySelector(".step:last-child[aria-label='Next question']");
  if (after) box.append(element("p", {}, element("a", { href: after.href }, "The next question")));
  box.append(element("p", {}, element("a", { href: root }, "All questions")));
  box.append(element("p", { class: "note" }, "What other markers have open may come back: load the page again to see."));
  return box;
}

async function openAnswer(id) {
  busy = true;
  try {
    leave();
    const reply = await call("answer", { cell, answer: id });
    const coming = ahead;
    show(await prepared(reply));
    if (coming) ahead = coming;
  } catch (error) {
    say(`It could not be opened: ${error.message}.`, "warm");
  }
  busy = false;
}

// An answer that is left without a save is somebody else's to mark.
function leave() {
  if (task && !saver.answers().includes(task.answer)) tell("release", { cell, answer: task.answer });
}

// ---- what a marker does

async function saveAndNext() {
  if (!task || busy) return;
  if (!task.marked && !touched()) return say("Nothing is given yet: choose items, or 0 for no points, or n to pass on.", "warm");
  if (task.hidden && touched()) return say(`${task.marker} has marked it: it cannot be saved here. n passes on.`, "warm");
  if (task.holder) return say(`${task.holder} has it open: it cannot be saved here now.`, "warm");
  const now = given();
  const wrong = wrongPoints(get("adjustment").value, step);
  if (wrong && touched()) {
    focusOn("adjustment");
    return say(`${wrong}.`, "warm");
  }
  if (now.adjustment && !now.reason && !task.elsewhere && now.adjustment !== task.given?.adjustment) {
    get("adjusting").open = true;
    get("reason").focus();
    return say("Say why the points are adjusted: the student reads it.", "warm");
  }
  const done = task;
  say("");
  if (!touched() && task.marked) {
    leave();
    return showNext();
  }
  const coming = ahead;
  drafts.drop(done, marker); // what cannot be saved stays with the saver
  drafts.withdraw(done, marker);
  task = null;
  // Not before the one ahead is known: it is not to be handed out a second time.
  const next = coming ? await coming.catch(() => null) : null;
  const started = saver.save(done, now, () => ({ ...wishes(), next: true }));
  if (next) return show(next);
  busy = true;
  await started;
  await showNext();
  busy = false;
}

// What came back of a save: the answer after the one that is shown now.
function saved(reply) {
  if (reply.task === undefined) return;
  if (ahead) return prepared(reply); // there is one already: this one is given back
  ahead = prepared(reply);
  ahead.catch(() => {});
}

function skip() {
  if (!task || busy) return;
  if (touched() && !task.marked) say("Passed on. What you gave is not saved; it stays with the answer in this tab.", "warm");
  passed.add(task.answer);
  leave();
  showNext();
}

function back() {
  const place = task ? trail.lastIndexOf(task.answer) : trail.length;
  const id = trail[place - 1];
  if (!id || busy) return say("This is where you began: Answers, above, leads to all of them.");
  trail.length = place - 1;
  openAnswer(id);
}

async function undo() {
  if (busy) return;
  await saver.idle();
  try {
    const reply = await call("undo", { cell });
    const many = reply.undone > 1 ? `${reply.undone} answers` : "the last answer";
    say(`Taken back: ${many}${reply.kept ? `; ${reply.kept} were changed since, and stay` : ""}.`, "good");
    if (reply.answer) await openAnswer(reply.answer);
    if (reply.given && task?.answer === reply.answer) {
      drafts.offer(task, marker, reply.given);
      showOffer();
    }
  } catch (error) {
    say(`${error.message[0].toUpperCase()}${error.message.slice(1)}.`, "warm");
  }
}

async function openGroup() {
  if (!task?.group) return say("No other answer is like this one.");
  await saver.idle();
  location.assign(`${root}/groups/${cell}?of=${task.answer}`);
}

function nothing() {
  if (!task) return;
  rubric.set([]);
  get("adjustment").value = 0;
  zero = true;
  update();
}

function focusOn(id) {
  const field = get(id);
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.focus();
}

// ---- keys

const KEYS = {
  f: () => task && rubric.full(), n: skip, ArrowRight: skip, p: back, ArrowLeft: back, u: undo, r: takeOffer, g: openGroup,
  c: () => focusOn("comment"), a: () => focusOn("adjustment"), "+": () => rubric.edit(null), "?": () => get("help-dialog").showModal(),
  q: () => (get("asked").open = !get("asked").open), m: () => get("model") && (get("model").open = !get("model").open),
  e: () => ((editing = true), say("Which item is to be changed? Its digit.")),
};
let editing = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const target = event.target;
  const typing = target.matches("textarea, input:not([type=checkbox])");
  if (event.key === "Escape") return target.blur?.();
  if (event.key === "Enter") {
    if (typing ? event.shiftKey : target.closest("a, summary, button:not(.item), input")) return;
    event.preventDefault();
    return saveAndNext();
  }
  if (typing) return;
  const digit = event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
  if (digit !== undefined && !(event.shiftKey && digit === "0")) {
    event.preventDefault();
    if (digit === "0") return nothing();
    const item = rubric.nth(Number(digit) - 1 + (event.shiftKey ? 9 : 0));
    if (!item || !task) return;
    if (editing) rubric.edit(item);
    else rubric.toggle(item);
    editing = false;
    return;
  }
  editing = false;
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const [id, act] of Object.entries({ save: saveAndNext, skip, back, undo, "use-offer": takeOffer, full: () => rubric.full(), zero: nothing, help: KEYS["?"] }))
  get(id).addEventListener("click", act);
for (const id of ["adjustment", "reason", "comment"]) get(id).addEventListener("input", update);
for (const id of ["alike", "everyone"]) {
  const box = get(id);
  if (!box) continue;
  box.checked = localStorage.getItem(`desk-${id}`) === "yes";
  box.addEventListener("change", () => {
    localStorage.setItem(`desk-${id}`, box.checked ? "yes" : "no");
    if (ahead) ahead.then((next) => next && tell("release", { cell, answer: next.task.answer })).catch(() => {});
    if (task) fetchAhead();
    else showNext();
  });
}
for (const id of ["asked", "model"]) {
  const fold = get(id);
  if (!fold) continue;
  fold.open = (localStorage.getItem(`desk-${id}`) ?? (id === "asked" ? "open" : "")) === "open";
  fold.addEventListener("toggle", () => localStorage.setItem(`desk-${id}`, fold.open ? "open" : ""));
}

// ---- the page's own life

setInterval(() => call("alive").catch(() => {}), 1000 * renewed);
window.addEventListener("pagehide", () => tell("release"));
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
window.addEventListener("beforeunload", (event) => {
  if (saver.pending || saver.failed) event.preventDefault();
});

rubric.draw();
if (wanted) openAnswer(wanted);
else showNext();
