// Takes back what stands in the history.
import { call } from "./server.js";

const status = document.getElementById("status");

for (const button of document.querySelectorAll("[data-batch]"))
  button.addEventListener("click", async () => {
    try {
      const reply = await call("undo", { batch: button.dataset.batch });
      status.textContent = `Taken back: ${reply.undone}${reply.kept ? `; ${reply.kept} were changed since, and stay` : ""}.`;
      status.className = "good";
      setTimeout(() => location.reload(), 700);
    } catch (error) {
      status.textContent = `Not taken back: ${error.message}.`;
      status.className = "warm";
    }
    status.scrollIntoView({ block: "nearest" });
  });
