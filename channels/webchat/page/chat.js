// The chat: what was said and what comes next. The server is the truth; this page only keeps what is on its way.

import { Files } from "./files.js";
import { Link } from "./link.js";
import { Memory } from "./memory.js";
import { LANGUAGES, text, title } from "./texts.js";
import { View } from "./view.js";

const RETRY_MS = 1_000;
const TYPING_PAUSE_MS = 3_000;

const memory = new Memory(localStorage);
const preferred = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
const state = {
  language: LANGUAGES.includes(memory.state.language) ? memory.state.language : preferred,
  topics: [],
  title: {},
  phase: "connecting",
  position: null,
  minutes: null,
  agentLost: false,
  outcome: null,
  reason: null,
  text: null,
  announced: null,
  messages: new Map(),
  agentTyping: false,
  online: false,
  // The server has the chat open for this connection; before that it takes no files for it.
  chatHere: false,
  greeted: false,
  notice: "",
  keepsPlaces: false,
};
// The message under way; the next one follows when the server has it, so that the order is the typed one.
let underWay = null;
// Whether this connection has asked for the place; the wish itself is remembered until the ticket is here.
let keepAsked = false;
let typingTimer = 0;
let retryTimer = 0;

const t = (key, parameters) => text(state.language, key, parameters);
const outbox = () => memory.state.outbox;

// The place that this customer has left and may come back to, as long as it is kept.
function kept() {
  const { kept } = memory.state;
  if (kept && kept.untilMs <= Date.now()) memory.set({ kept: null });
  return memory.state.kept;
}

// The highest position below which no message is missing.
function complete() {
  let next = 1;
  while (state.messages.has(next)) next += 1;
  return next - 1;
}

function draw() {
  view.draw({
    ...state,
    heading: title(state.title, state.language),
    topics: state.topics.map((topic) => ({
      name: topic.name,
      title: title(topic.title, state.language),
      hint: topic.closed ? t("closed_now") : "",
    })),
    parting: state.text ? title(state.text, state.language) : "",
    ordered: [...state.messages.values()].sort((a, b) => a.position - b.position),
    sending: [...outbox(), ...files.queue],
    takesFiles: files.maxBytes > 0,
    kept: kept(),
    t,
  });
}

function sayStart() {
  const { chat } = memory.state;
  if (!chat) return;
  state.chatHere = false;
  const start = { type: "start", chat: chat.id, queue: chat.queue, after: complete() };
  if (chat.name) start.name = chat.name;
  if (chat.place) start.place = chat.place;
  start.language = state.language;
  // A site that opens the chat in a frame or a window may name the page; the browser may know it as well.
  start.page = (new URLSearchParams(location.search).get("page") ?? document.referrer).slice(0, 500);
  link.send(start);
}

function pump() {
  files.pump();
  const next = outbox()[0];
  if (!next || underWay || state.phase === "choose" || state.phase === "connecting") return;
  if (link.send({ type: "say", ...next })) underWay = next.external_id;
}

function delivered(externalId) {
  if (underWay === externalId) underWay = null;
  memory.set({ outbox: outbox().filter((item) => item.external_id !== externalId) });
}

function later(action, delayMs) {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(action, delayMs);
}

const handlers = {
  chat(message) {
    if (message.chat !== memory.state.chat?.id) return;
    state.phase = message.state;
    state.chatHere = true;
    state.position = message.position ?? null;
    state.minutes = message.minutes ?? null;
    state.agentLost = message.reason === "lease_lost";
    state.outcome = message.outcome ?? null;
    state.reason = message.reason ?? null;
    state.text = message.text ?? null;
    state.notice = "";
    if (message.state !== "waiting") state.announced = null;
    const { place, ...chat } = memory.state.chat;
    memory.set({ chat: { ...chat, opened: true } });
    // It stands at its place now and the ticket is used up; who was not let in has the place still.
    if (place && place === memory.state.kept?.ticket && message.outcome !== "blocked") memory.set({ kept: null });
    if (message.state === "ended") {
      memory.set({ outbox: [] });
      files.clear();
      underWay = null;
    }
    // Who closed the page with the press, or lost the network, has left; the ticket is still to be had.
    if (message.outcome === "abandoned" && chat.keeping && !keepAsked) askToKeep();
    pump();
  },

  messages(message) {
    if (message.chat !== memory.state.chat?.id) return;
    for (const one of message.messages) {
      state.messages.set(one.position, one);
      if (one.sender === "customer") delivered(one.external_id);
      else if (one.sender === "agent") state.agentTyping = false;
    }
    pump();
  },

  announcement({ position, minutes }) {
    state.announced = { position, minutes: minutes ?? null, behind: complete() };
  },

  place(message) {
    const { chat } = memory.state;
    if (message.chat !== chat?.id) return;
    const untilMs = Date.now() + message.seconds * 1_000;
    const kept = { ticket: message.ticket, untilMs, queue: chat.queue, name: chat.name };
    memory.set({ kept, chat: { ...chat, keeping: false } });
  },

  typing(message) {
    state.agentTyping = message.on;
  },

  error(message) {
    if (message.external_id) underWay = null;
    if (message.retry_after_ms !== undefined) {
      state.notice = t(message.code === "too_fast" ? "too_fast" : "busy");
      later(() => {
        state.notice = "";
        if (message.external_id) pump();
        else sayStart();
        draw();
      }, Math.max(RETRY_MS, message.retry_after_ms));
      return;
    }
    if (message.external_id) delivered(message.external_id);
    state.notice = message.code === "not_admitted" ? t("not_admitted") : t("refused", { text: message.text });
    if (message.field === "place") {
      memory.set({ kept: null });
      state.notice = t("not_kept");
    }
    if (!message.external_id && state.phase === "connecting") newChat();
  },

  bye() {},
};

function start(queue, name, place) {
  memory.set({ chat: { id: newId(), queue, name, place }, outbox: [] });
  state.messages.clear();
  state.phase = "connecting";
  sayStart();
  draw();
  view.focusText();
}

// randomUUID exists on secure pages only; a branch's intranet page may not be one.
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(words) {
  if (!words.trim() || state.phase === "ended") return false;
  setTyping(false);
  const item = { external_id: newId(), text: words.trim() };
  memory.set({ outbox: [...outbox(), item], draft: "" });
  pump();
  draw();
  return true;
}

function askToKeep() {
  keepAsked = link.send({ type: "end", keep_place: true });
}

function setTyping(on) {
  const was = typingTimer !== 0;
  clearTimeout(typingTimer);
  typingTimer = on ? setTimeout(() => setTyping(false), TYPING_PAUSE_MS) : 0;
  if (on !== was && state.phase === "engaged") link.send({ type: "typing", on });
}

function newChat() {
  memory.set({ chat: null, outbox: [], draft: "" });
  files.clear();
  state.messages.clear();
  state.phase = "choose";
  state.agentTyping = false;
  underWay = null;
}

const files = new Files({
  token: () => memory.state.token,
  isOpen: () => state.chatHere,
  newId,
  onChange: () => draw(),
  onFailure(key, parameters) {
    state.notice = t(key, parameters);
    draw();
  },
});

const view = new View(document, {
  onStart: start,
  onSay: say,
  onFiles(chosen) {
    state.notice = "";
    if (memory.state.chat && state.phase !== "ended") files.add(memory.state.chat.id, chosen);
  },
  onSave: (file) => files.save(memory.state.chat.id, file),
  picture: (file) => files.picture(memory.state.chat.id, file.id),
  onDraft(words) {
    memory.set({ draft: words });
    setTyping(words !== "");
  },
  onEnd() {
    memory.set({ chat: { ...memory.state.chat, keeping: false } });
    link.send({ type: "end" });
  },
  onKeep() {
    memory.set({ chat: { ...memory.state.chat, keeping: true } });
    askToKeep();
  },
  onBack() {
    const place = kept();
    if (place) start(place.queue, place.name, place.ticket);
    else draw();
  },
  onAgain() {
    newChat();
    view.setText("");
    draw();
  },
  onLanguage(language) {
    state.language = language;
    memory.set({ language });
    draw();
  },
});
view.setText(memory.state.draft);

// A browser gives a file to this page only: what is on its way when the page goes does not arrive.
window.addEventListener("beforeunload", (event) => {
  if (files.queue.length > 0) event.preventDefault();
});

const link = new Link({
  hello: () => (memory.state.token ? { token: memory.state.token } : {}),
  onUp(welcome) {
    memory.set({ token: welcome.token });
    Object.assign(state, { topics: welcome.topics, title: welcome.title, online: true, greeted: true, notice: "" });
    state.keepsPlaces = welcome.keeps_places ?? false;
    files.maxBytes = welcome.file_bytes ?? 0;
    underWay = null;
    keepAsked = false;
    // A chat of a visitor whom the server no longer knows would be opened anew, and nobody asked for that.
    if (memory.state.chat?.opened && !welcome.known) newChat();
    if (memory.state.chat) sayStart();
    else state.phase = "choose";
    draw();
  },
  onMessage(message) {
    handlers[message.type]?.(message);
    draw();
  },
  onDown() {
    state.online = state.chatHere = false;
    state.agentTyping = false;
    underWay = null;
    draw();
  },
});
draw();
