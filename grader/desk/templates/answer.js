// Draws an answer: its text, what stands beside it, its figures with the solutions' ones, and what to know of it.
import { element, number, points as total, root } from "./server.js";

const day = (at) => element("time", { datetime: at.iso, title: at.zone }, at.text);

export function draw(task, actions) {
  const heading = element("h2", { tabindex: "-1" }, task.name || `Answer ${task.number} of ${task.of}`);
  const header = element("header", {}, heading);
  if (task.second) header.append(element("span", { class: "chip" }, "second reading, blind"));
  else if (task.marked)
    header.append(element("span", { class: "chip good" }, `marked${task.marker ? ` by ${task.marker}` : ""}`));
  if (task.group) {
    const { size, waiting, likeness, blank } = task.group;
    const words = blank ? `one of ${size} blank answers` : likeness === 100 ? `${size} identical` : `${size} alike`;
    const chip = element("button", { class: "chip", type: "button", onclick: actions.group }, `${words}, ${waiting} unmarked `);
    chip.append(element("kbd", {}, "g"));
    header.append(chip);
  }
  for (const copy of task.copies.slice(0, 3)) {
    header.append(
      copy.answer
        ? element("a", { class: "chip warm", href: `${root}/mark/${task.cell}/${copy.answer}`, target: "_blank" }, `${copy.likeness}% like answer ${copy.number}`)
        : element("span", { class: "chip warm" }, `${copy.likeness}% like the model answer`),
    );
  }
  const whole = `${root.replace(/desk$/, "")}formgrader/submissions/${task.answer}/`;
  // Both would tell what another marker gave.
  if (!task.second && !task.hidden) header.append(
    element("span", { class: "note" },
      element("a", { href: `${root}/history?question=${task.cell}&answer=${task.answer}`, target: "_blank" }, "history"), " · ",
      element("a", { href: `${root}/student/${task.answer}`, target: "_blank" }, "their other answers"), " · ",
      element("a", { href: whole, target: "_blank" }, "whole notebook")),
  );
  const article = element("article", { class: "task" }, header, ...notices(task));
  const said = element("div", { class: "said", html: task.html });
  if (task.before) {
    article.append(
      element("div", { class: "old" },
        element("div", {}, element("h3", {}, "when it was marked, ", day(task.before.at)),
          element("div", { class: "said", html: task.before.html || "<p class='blank'>Its text was not kept.</p>" })),
        element("div", {}, element("h3", {}, "now"), said)),
    );
  } else article.append(said);
  for (const html of task.beside) article.append(element("div", { class: "said beside", html }));
  if (task.evidence.length) article.append(evidence(task.evidence));
  article.append(...task.figures.map((pair) => figure(task, pair)));
  return article;
}

function notices(task) {
  const found = [];
  const say = (text, kind = "") => found.push(element("p", { class: `notice ${kind}` }, text));
  if (task.holder) say(`${task.holder} has this answer open right now: you can read it, and not save.`, "warm");
  if (task.hidden) say(`${task.marker} has marked this answer. The settings hide what others gave: an instructor can change it.`, "warm");
  if (task.before) say("The answer has changed since it was marked.", "warm");
  if (task.elsewhere) {
    const { points, was, comment } = task.elsewhere;
    const now = points === null ? "no points" : total(points);
    say(was === null ? `Marked in formgrader: ${now}.` : `Changed in formgrader: ${now}, not ${number(was)}. What you save here counts then.`);
    if (comment) found.push(element("blockquote", { class: "note" }, comment));
  }
  if (task.extra) say(`Formgrader has ${number(task.extra)} points of extra credit for it besides.`);
  return found;
}

function evidence(lines) {
  const list = element("ul", { class: "evidence" });
  for (const { verdict, title, text } of lines)
    list.append(element("li", {}, element("b", { class: verdict.replace(" ", "-") }, verdict), ` ${title}: ${text}`));
  return element("section", { "aria-label": "What was measured with the weights" }, list);
}

function figure(task, pair) {
  const box = element("section", { class: "pair" }, element("h3", {}, pair.shows[0].toUpperCase() + pair.shows.slice(1)));
  const two = element("div", { class: "two" });
  const picture = (source, alt) =>
    element("button", { class: "see", type: "button", "aria-label": `${alt}; enlarge`, onclick: () => box.classList.toggle("large") },
      element("img", { src: source, alt, loading: "eager" }));
  const theirs = pair.theirs
    ? picture(`${root}/figure/${task.cell}/${task.answer}/${encodeURIComponent(pair.theirs)}`, `The student's: ${pair.shows}`)
    : element("p", { class: "gone" }, "not handed in under this name");
  two.append(element("div", {}, element("h4", {}, "the student's"), theirs));
  if (pair.ours)
    two.append(element("div", {}, element("h4", {}, "the solutions'"), picture(`${root}/solution/${pair.ours}`, `The solutions': ${pair.shows}`)));
  box.append(two);
  return box;
}
