// Saves the course's settings.
import { call } from "./server.js";

const get = (id) => document.getElementById(id);
const status = get("status");
const lines = (id) => get(id).value.split("\n").map((line) => line.trim()).filter(Boolean);

function show() {
  for (const part of document.querySelectorAll("[data-split]")) part.hidden = part.dataset.split !== get("split").value;
}

get("split").addEventListener("change", show);
get("settings").addEventListener("submit", async (event) => {
  event.preventDefault();
  const questions = {};
  for (const field of document.querySelectorAll("[data-cell]")) if (field.value.trim()) questions[field.dataset.cell] = field.value.trim();
  const changes = {
    names_shown: get("names_shown").checked, marks_shown: get("marks_shown").checked, split: get("split").value, markers: lines("markers"), questions,
    second_share: Number(get("second_share").value) / 100, alike: Number(get("likeness").value), instructors: lines("instructors"),
  };
  try {
    await call("settings", { changes });
    status.textContent = "Saved.";
    status.className = "good";
  } catch (error) {
    status.textContent = `Not saved: ${error.message}.`;
    status.className = "warm";
  }
  status.scrollIntoView({ block: "nearest" });
});
show();
