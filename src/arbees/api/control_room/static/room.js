// The control room's own script: renews the page, asks once before each act, calls the public API.
"use strict";

const EVERY_MS = 1000;
const PATIENCE_MS = 1500;
const ACTS = {
  ENABLE: { what: "Stop trading?", about: "No new order leaves, and ours are cancelled. It survives a restart.", yes: "Stop", scope: true, reason: "" },
  REDUCE: { what: "Let only reducing orders pass?", about: "Opening orders are cancelled.", yes: "Reduce", scope: true, reason: "", seen: "Step down also what halts harder: I have looked at why" },
  DISABLE: { what: "Resume trading?", about: "Look at what halted first.", yes: "Resume", scope: true, reason: "required", seen: "Lift also what the gateway halted by itself: I have looked at why" },
  FLATTEN: { what: "Close what is held?", about: "Opening orders are cancelled, what is held is sold inside the collar. Where trading is halted, reduce first.", yes: "Flatten", scope: true, reason: "required" },
  ADOPT: { what: "Take the venue's word?", about: "The venue is compared once more; what it says becomes the book's.", yes: "Adopt", reason: "required" },
  COMPARE: { what: "Compare the book with every venue now?", about: "It asks the venues and changes nothing there.", yes: "Compare" },
  CANCEL: { what: "Cancel this order?", about: "", yes: "Cancel the order" },
};

const by = (id) => document.getElementById(id);
const say = (text) => { by("said").textContent = text; };

async function call(method, path, body) {
  const headers = { "x-csrf-token": document.body.dataset.token || "" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(10000) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(`${found.code || answer.status}: ${found.detail || "refused"}`);
  return found;
}

async function act(name, id, form) {
  const scope = form.scope.value.trim() || "all";
  const reason = form.reason.value.trim();
  say("Asked …");
  try {
    if (name === "CANCEL") {
      await call("DELETE", `/v1/orders/${encodeURIComponent(id)}`);
      say("The cancel was asked for.");
    } else if (name === "ADOPT") {
      await call("POST", "/v1/reconciliations/adopt", { break_id: id, reason });
      say(`The venue's word of ${id} is the book's now.`);
    } else if (name === "COMPARE") {
      const done = await call("POST", "/v1/reconciliations");
      say(done.complete ? `Compared: ${done.breaks.length} open breaks.` : `NOT COMPARED: ${done.failed.join(", ")}.`);
    } else if (name === "FLATTEN") {
      const done = await call("POST", "/v1/flatten", { scope, reason });
      say(`Flattening ${done.scope}: receipt ${done.receipt_id}.`);
    } else {
      const asked = { action: name, scope, acknowledge: form.acknowledge.checked };
      if (reason) asked.reason = reason;
      const done = await call("POST", "/v1/kill-switch", asked);
      const doubt = done.durable ? "" : " In force, but NOT DURABLE: the journal failed.";
      const nothing = done.matches_nothing ? ` ${done.scope} MATCHES NOTHING KNOWN.` : "";
      const left = done.in_force ? "" : " Something still halts it.";
      say(`${done.scope || scope}: ${done.state}.${left}${doubt}${nothing}`);
    }
  } catch (error) {
    say(`NOT DONE. ${error.message}`);
  }
  renew();
}

function ask(button) {
  const name = button.dataset.act, rule = ACTS[name], dialog = by("ask"), form = dialog.querySelector("form");
  form.reset();
  form.scope.value = button.dataset.scope || "all";
  by("ask-what").textContent = rule.what;
  by("ask-about").textContent = rule.about;
  by("ask-yes").textContent = rule.yes;
  by("ask-scope").hidden = !rule.scope;
  by("ask-reason").hidden = rule.reason === undefined;
  form.reason.required = rule.reason === "required";
  by("ask-seen").hidden = !rule.seen;
  by("ask-seen").querySelector("span").textContent = rule.seen || "";
  dialog.returnValue = "no";
  dialog.onclose = () => { if (dialog.returnValue === "yes") act(name, button.dataset.id, form); };
  dialog.showModal();
  (form.reason.required ? form.reason : by("ask-yes")).focus();
}

function replace(now) {
  const fresh = document.createElement("template");
  fresh.innerHTML = now;
  for (const part of fresh.content.querySelectorAll("section")) {
    const old = by(part.id);
    if (old && old.outerHTML === part.outerHTML) continue;
    const held = old && old.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    if (old) old.replaceWith(part); else by("now").append(part);
    if (held) part.querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus();
  }
  document.title = `${by("state").dataset.state || "?"} · Arbees control room`;
}

// Searches and lists that are asked for, and the drawer that explains a request.
async function fetchPart(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(20000) });
  if (answer.status === 401) location.href = "/login";
  if (!answer.ok) throw new Error(`${answer.status}: the gateway does not say`);
  return answer.text();
}

async function list(form, cursor) {
  const place = form.parentElement.querySelector(".list"), query = new URLSearchParams(new FormData(form));
  for (const [name, text] of [...query]) if (!text) query.delete(name);
  if (cursor) query.set("cursor", cursor);
  place.setAttribute("aria-busy", "true");
  try {
    place.innerHTML = await fetchPart(`/room/${form.dataset.list}?${query}`);
  } catch (error) {
    place.textContent = `Not shown: ${error.message}`;
  }
  place.removeAttribute("aria-busy");
}

async function explain(id) {
  by("drawer-name").textContent = id;
  by("drawer-says").textContent = "Asked …";
  by("drawer").showModal();
  try {
    by("drawer-says").innerHTML = await fetchPart(`/room/request?${new URLSearchParams({ id })}`);
  } catch (error) {
    by("drawer-says").textContent = `Not shown: ${error.message}`;
  }
}

let renewing = false;
async function renew() {
  if (renewing) return;
  renewing = true;
  try {
    const answer = await fetch("/room/now", { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 401) { location.href = "/login"; return; }
    if (!answer.ok) throw new Error(String(answer.status));
    replace(await answer.text());
    cut(false);
  } catch { cut(true); } finally { renewing = false; }
}

function cut(is) {
  document.body.classList.toggle("cut", is);
  by("cut").hidden = !is;
}

function login(event) {
  event.preventDefault();
  call("POST", "/login", { key: event.target.key.value })
    .then(() => { location.href = "/"; })
    .catch((error) => say(error.message));
}

if (by("login")) by("login").addEventListener("submit", login);
if (by("now")) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) ask(button);
    const explained = event.target.closest("[data-explain]");
    if (explained) explain(explained.dataset.explain);
    const older = event.target.closest("[data-older]");
    if (older) list(older.closest("section").querySelector("form"), older.dataset.older);
  });
  for (const form of document.querySelectorAll("form.search")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); list(form); });
    if ("auto" in form.dataset) list(form);
  }
  by("drawer-close").addEventListener("click", () => by("drawer").close());
  by("ask-no").addEventListener("click", () => by("ask").close("no"));
  by("logout")?.addEventListener("click", () => call("POST", "/logout", {}).then(() => { location.href = "/login"; }));
  setInterval(renew, EVERY_MS);
}
