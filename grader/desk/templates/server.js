// How a page talks to the desk: JSON, with the token against forged requests, and errors that say what to do.

export const root = document.body.dataset.root;
export const browser = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2).padEnd(12, "0") + Date.now();

// What went wrong: `status` 0 where the server could not be reached; `data` is what it said.
export class Failure extends Error {
  constructor(status, data) {
    super(data.problem);
    this.status = status;
    this.data = data;
  }
}

function token() {
  const found = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/);
  return found ? decodeURIComponent(found[1]) : document.body.dataset.xsrf;
}

function request(name, body) {
  return {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-XSRFToken": token() },
    body: JSON.stringify({ browser, ...body }),
  };
}

export async function call(name, body = {}) {
  let answer;
  try {
    answer = await fetch(`${root}/api/${name}`, request(name, body));
  } catch {
    throw new Failure(0, { problem: "the server cannot be reached" });
  }
  const data = await answer.json().catch(() => ({ problem: "you are not logged in any more: log in in another tab" }));
  if (!answer.ok) throw new Failure(answer.status, data);
  return data;
}

// For the moment in which a page goes: nobody waits for the answer.
export function tell(name, body = {}) {
  fetch(`${root}/api/${name}`, { ...request(name, body), keepalive: true }).catch(() => {});
}

// What was typed as a number, with a point or a comma; NaN where it is none.
export function decimal(typed) {
  const text = typed.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : text ? NaN : 0;
}

// What is wrong with a number of points, in the server's words; empty where nothing is.
export function wrongPoints(typed, step) {
  const value = decimal(typed);
  if (Number.isNaN(value)) return `${typed} is not a number of points: 0.5, or -0.25`;
  return Number.isInteger(value / step.size) ? "" : `${value}: ${step.rule}`;
}

export const number = (value) => String(Number(value.toFixed(3)));
export const points = (value) => `${number(value)} point${value === 1 ? "" : "s"}`;
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value).replace("-", "−"));

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "html") made.innerHTML = value; // only what the server has cleaned
    else if (key === "onclick") made.addEventListener("click", value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export async function typeset(nodes) {
  if (!window.MathJax || !MathJax.startup) return;
  await MathJax.startup.promise;
  if (MathJax.typesetPromise) await MathJax.typesetPromise(nodes).catch((error) => console.warn(error));
}
