// The chat: what was said and what comes next. The server is the truth; this page only keeps what is on its way.

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
  outcome: null,
  messages: new Map(),
  agentTyping: false,
  online: false,
  greeted: false,
  notice: "",
};
// The message under way; the next one follows when the server has it, so that the order is the typed one.
let underWay = null;
let typingTimer = 0;
let retryTimer = 0;

const t = (key, parameters) => text(state.language, key, parameters);
const outbox = () => memory.state.outbox;

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
    topics: state.topics.map((topic) => ({ name: topic.name, title: title(topic.title, state.language) })),
    ordered: [...state.messages.values()].sort((a, b) => a.position - b.position),
    sending: outbox(),
    t,
  });
}

function sayStart() {
  const { chat } = memory.state;
  if (!chat) return;
  const start = { type: "start", chat: chat.id, queue: chat.queue, after: complete() };
  if (chat.name) start.name = chat.name;
  link.send(start);
}

function pump() {
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
    state.position = message.position ?? null;
    state.outcome = message.outcome ?? null;
    state.notice = "";
    memory.set({ chat: { ...memory.state.chat, opened: true } });
    if (message.state === "ended") {
      memory.set({ outbox: [] });
      underWay = null;
    }
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
    state.notice = t("refused", { text: message.text });
    if (!message.external_id && state.phase === "connecting") newChat();
  },

  bye() {},
};

function start(queue, name) {
  memory.set({ chat: { id: crypto.randomUUID?.() ?? fallbackId(), queue, name }, outbox: [] });
  state.messages.clear();
  state.phase = "connecting";
  sayStart();
  draw();
  view.focusText();
}

// randomUUID exists on secure pages only; a branch's intranet page may not be one.
function fallbackId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function say(words) {
  if (!words.trim() || state.phase === "ended") return false;
  setTyping(false);
  const item = { external_id: crypto.randomUUID?.() ?? fallbackId(), text: words.trim() };
  memory.set({ outbox: [...outbox(), item], draft: "" });
  pump();
  draw();
  return true;
}

function setTyping(on) {
  const was = typingTimer !== 0;
  clearTimeout(typingTimer);
  typingTimer = on ? setTimeout(() => setTyping(false), TYPING_PAUSE_MS) : 0;
  if (on !== was && state.phase === "engaged") link.send({ type: "typing", on });
}

function newChat() {
  memory.set({ chat: null, outbox: [], draft: "" });
  state.messages.clear();
  state.phase = "choose";
  state.agentTyping = false;
  underWay = null;
}

const view = new View(document, {
  onStart: start,
  onSay: say,
  onDraft(words) {
    memory.set({ draft: words });
    setTyping(words !== "");
  },
  onEnd: () => link.send({ type: "end" }),
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

const link = new Link({
  hello: () => (memory.state.token ? { token: memory.state.token } : {}),
  onUp(welcome) {
    memory.set({ token: welcome.token });
    Object.assign(state, { topics: welcome.topics, title: welcome.title, online: true, greeted: true, notice: "" });
    underWay = null;
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
    state.online = false;
    state.agentTyping = false;
    underWay = null;
    draw();
  },
});
draw();
