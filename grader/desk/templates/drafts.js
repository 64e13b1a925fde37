// What was given to an answer and not saved: it stays in this tab until it is, however the answer was left.
// A draft belongs to a version: where somebody has marked the answer since, it does not come back.
// So does what an undo took back: it is kept beside the draft, and offered until it is used or another mark is saved.
import { root } from "./server.js";

const place = (task, marker, kind = "draft") => `desk-${kind} ${root} ${marker} ${task.cell} ${task.answer} ${task.version} ${task.second}`;

export const drafts = {
  keep: (task, marker, draft) => sessionStorage.setItem(place(task, marker), JSON.stringify(draft)),
  drop: (task, marker) => sessionStorage.removeItem(place(task, marker)),
  of: (task, marker) => JSON.parse(sessionStorage.getItem(place(task, marker))),
  offer: (task, marker, given) => sessionStorage.setItem(place(task, marker, "undone"), JSON.stringify(given)),
  offered: (task, marker) => JSON.parse(sessionStorage.getItem(place(task, marker, "undone"))),
  withdraw: (task, marker) => sessionStorage.removeItem(place(task, marker, "undone")),
};
