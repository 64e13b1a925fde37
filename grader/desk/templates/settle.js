// Settles the difference between two readings of an answer.
import { call, points } from "./server.js";

const { cell } = JSON.parse(document.getElementById("data").textContent);
const status = document.getElementById("status");

for (const section of document.querySelectorAll(".twice"))
  for (const button of section.querySelectorAll("[data-choice]"))
    button.addEventListener("click", async () => {
      const { answer, version } = section.dataset;
      try {
        const reply = await call("settle", { cell, answer, version, choice: button.dataset.choice });
        status.textContent = `Settled: ${points(reply.points)}.`;
        status.className = "good";
        setTimeout(() => location.reload(), 600);
      } catch (error) {
        status.textContent = `Not settled: ${error.message}.`;
        status.className = "warm";
      }
      status.scrollIntoView({ block: "nearest" });
    });
