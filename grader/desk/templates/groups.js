// Groups of answers: what is chosen is given to all that are ticked, in one go.
import { call, points, root } from "./server.js";

const { cell, worth, only } = JSON.parse(document.getElementById("data").textContent);
const status = document.getElementById("status");

function say(text, kind = "") {
  status.textContent = text;
  status.className = kind;
  status.scrollIntoView({ block: "nearest" });
}

for (const group of document.querySelectorAll(".group")) {
  const items = [...group.querySelectorAll(".item")];
  const boxes = [...group.querySelectorAll("input[data-answer]")];
  const comment = group.querySelector("textarea");
  const give = group.querySelector(".give");
  const chosen = () => items.filter((item) => item.getAttribute("aria-pressed") === "true");
  const ticked = () => boxes.filter((box) => box.checked && !box.disabled);

  const update = () => {
    const sum = chosen().reduce((all, item) => all + Number(item.dataset.points), 0);
    const many = ticked().length;
    group.querySelector(".points").textContent = points(Math.min(Math.max(sum, 0), worth));
    group.querySelector(".many").textContent = many === boxes.length ? `all ${many}` : `${many} of ${boxes.length}`;
    give.disabled = !many;
  };

  const send = async () => {
    give.disabled = true;
    const answers = Object.fromEntries(ticked().map((box) => [box.dataset.answer, box.dataset.version]));
    const given = { items: chosen().map((item) => Number(item.dataset.item)), adjustment: 0, reason: "", comment: comment.value.trim() };
    try {
      const reply = await call("group", { cell, answers, given });
      const left = reply.left_out.length;
      if (only && !left) return location.assign(`${root}/mark/${cell}`);
      say(`Saved: ${points(reply.points)} for ${Object.keys(answers).length - left} answers.` + (left ? ` ${left} were left out: somebody has them open, or has marked them meanwhile.` : ""), left ? "warm" : "good");
      setTimeout(() => location.reload(), left ? 4000 : 900);
    } catch (error) {
      say(`Not saved: ${error.message}.`, "warm");
      give.disabled = false;
    }
  };

  for (const item of items)
    item.addEventListener("click", () => {
      item.setAttribute("aria-pressed", String(item.getAttribute("aria-pressed") !== "true"));
      update();
    });
  for (const box of boxes) box.addEventListener("change", update);
  give.addEventListener("click", send);
  for (const button of group.querySelectorAll(".apart"))
    button.addEventListener("click", async () => {
      try {
        await call("apart", { cell, answers: [button.dataset.answer], apart: true });
        location.reload();
      } catch (error) {
        say(`Not done: ${error.message}.`, "warm");
      }
    });
  // With several groups on the page, digits are about the one that has the focus.
  document.addEventListener("keydown", (event) => {
    if (!only && !(group.contains(document.activeElement) && group.querySelector("details").open)) return;
    if (event.target.matches("textarea, input") && event.key !== "Enter") return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const digit = event.code.match(/^(?:Digit|Numpad)([1-9])$/)?.[1];
    if (digit && items[digit - 1]) items[digit - 1].click();
    else if (!only) return;
    else if (event.key === "Enter" && !event.shiftKey && !event.target.closest("a, summary, button:not(.item)")) {
      event.preventDefault();
      if (!give.disabled) send();
    } else if (event.key === "Escape") location.assign(`${root}/mark/${cell}`);
  });
  update();
}
