// One file to the store: by a presigned form, or part by part. The archive only says where it goes.
import { formToken, root } from "./page.js";

const ATTEMPTS = 4;
const FIRST_PAUSE = 1000;

/** What went wrong, in words for people. `isLasting`: trying the same again makes no sense. */
export class Refusal extends Error {
  constructor(words, isLasting = false) {
    super(words);
    this.isLasting = isLasting;
  }
}

/** Ask the archive something; whatever is no good answer is a Refusal. */
export async function ask(path, body, token, signal) {
  let answer;
  try {
    answer = await fetch(`${root}/${path}`, {
      method: "POST",
      signal,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": formToken(token) },
      body: JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(navigator.onLine ? "The archive does not answer." : "This computer is offline.");
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  if (answer.status === 401 || String(said.detail).startsWith("CSRF")) {
    throw new Refusal("You are logged out. Log in in another tab, then try again.", true);
  }
  if (answer.status === 403) throw new Refusal("Your account may not upload.", true);
  throw new Refusal(said.detail ?? `The archive answered ${answer.status}.`, answer.status < 500 && answer.status !== 429);
}

/** Send a file under a key; `onSent` takes the bytes that have gone, `onTrouble` what is tried again for. */
export async function sendFile(file, key, { token, signal, onSent, onTrouble }) {
  const patiently = (act) => withPatience(act, { signal, onTrouble });
  const place = await patiently(() => ask("uploads/", { filename: key, size: file.size }, token, signal));
  if (place.method === "POST") await patiently(() => sendForm(file, place, { signal, onSent }));
  else await sendParts(file, place, { token, signal, onSent, patiently });
  return place.key;
}

function sendForm(file, place, { signal, onSent }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(place.fields)) form.append(name, value);
  form.append("file", file); // what stands behind it is not read
  return transfer("POST", place.url, form, { signal, onSent: (sent) => onSent(Math.min(sent, file.size)) });
}

async function sendParts(file, place, { token, signal, onSent, patiently }) {
  try {
    for (const part of place.parts) {
      const start = (part.number - 1) * place.part_size;
      const piece = file.slice(start, start + part.size);
      const told = (sent) => onSent(start + Math.min(sent, part.size));
      await patiently(() => transfer("PUT", part.url, piece, { signal, onSent: told }));
    }
    await patiently(() => ask(place.complete.url, place.complete.body, token, signal));
  } catch (error) {
    ask(place.abort.url, place.abort.body, token).catch(() => {}); // what is left is removed by the bucket's own rule
    throw error;
  }
}

/** Try again what may pass: a connection that broke, a store that is busy. */
async function withPatience(act, { signal, onTrouble }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refusal) || error.isLasting || attempt === ATTEMPTS) throw error;
      onTrouble(error.message);
      await pause(FIRST_PAUSE * 3 ** (attempt - 1), signal);
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(end);
      reject(new DOMException("", "AbortError"));
    }, { once: true });
  });
}

/** XMLHttpRequest: fetch does not tell how much has been sent. */
function transfer(method, url, body, { signal, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.throwIfAborted();
    signal.addEventListener("abort", stop);
    request.upload.addEventListener("progress", (event) => onSent(event.loaded));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    request.addEventListener("error", () => reject(new Refusal(unreachable(url))));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(refusal(request));
    });
    request.open(method, url);
    request.send(body);
  });
}

function unreachable(url) {
  if (!navigator.onLine) return "This computer is offline.";
  const store = new URL(url).origin;
  return `The object store at ${store} cannot be reached, or does not let pages of ${location.origin} write (CORS): the archive's operator can set that. It may also be that the file was changed or moved meanwhile.`;
}

function refusal(request) {
  const said = new DOMParser().parseFromString(request.responseText, "text/xml");
  const code = said.querySelector("Code")?.textContent ?? "";
  const words = {
    AccessDenied: "The store does not allow it: the link is too old, or the archive itself may not write.",
    EntityTooLarge: "The file has grown since it was chosen: choose it again.",
    EntityTooSmall: "The file has shrunk since it was chosen: choose it again.",
    InvalidAccessKeyId: "The store does not know the archive's keys any more: its operator must look.",
    SignatureDoesNotMatch: "The store does not accept the archive's signature: its operator must look.",
    NoSuchBucket: "The bucket is not there: the archive's operator must look.",
    RequestTimeTooSkewed: "The clocks of archive and store differ: its operator must look.",
    XMinioStorageFull: "The store is full.",
    ExpiredToken: "The link is too old.",
  };
  if (request.status >= 500) return new Refusal(`The store has trouble (${request.status}${code && ` ${code}`}).`);
  const plain = words[code] ?? `The store refuses (${request.status}${code && ` ${code}`}).`;
  return new Refusal(plain, true);
}
