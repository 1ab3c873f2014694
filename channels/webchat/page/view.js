// What stands on the page. Text goes in as text, by textContent, and in no other way.

import { FileView, filesOf } from "./file_view.js";

const NEAR_END_PX = 80;
const SURE_MS = 4_000;
const SAME_BREATH_MS = 60_000;

// Enter belongs to the input method while it composes; Safari's confirming Enter has only the code 229.
export function sendsMessage(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  return !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
}

const clock = (atMs) => {
  const at = new Date(atMs);
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
};

const waitText = (minutes, t) => {
  const [from, to] = minutes ?? [];
  return minutes ? t(from === to ? (from === 1 ? "minute" : "minutes_about") : "minutes", { from, to }) : "";
};

const announcement = ({ position, minutes }, t) =>
  [t("announced", { position }), waitText(minutes, t)].filter(Boolean).join(" · ");

const endText = ({ outcome, reason, t }) =>
  t(outcome === "blocked" && reason === "closed" ? "ended_closed" : `ended_${outcome ?? "served"}`);

export class View {
  constructor(document, actions) {
    this.document = document;
    this.actions = actions;
    this.shown = new Map();
    this.topicKey = "";
    this.sure = false;
    this.takesFiles = false;
    this.files = new FileView(document, {
      onSave: actions.onSave,
      picture: actions.picture,
      onShown: () => this.follow && this.toEnd(),
    });
    this.byId = (id) => document.getElementById(id);
    this.listen();
  }

  listen() {
    const { actions } = this;
    const area = this.byId("text");
    this.byId("start-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = this.byId("topics").querySelector("input:checked");
      if (chosen) actions.onStart(chosen.value, this.byId("name").value.trim());
    });
    this.byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    area.addEventListener("keydown", (event) => {
      if (!sendsMessage(event)) return;
      event.preventDefault();
      this.send();
    });
    area.addEventListener("input", () => {
      this.fit();
      actions.onDraft(area.value);
    });
    this.listenForFiles(area);
    this.byId("end").addEventListener("click", () => this.end());
    this.byId("again").addEventListener("click", () => actions.onAgain());
    this.byId("keep").addEventListener("click", () => actions.onKeep());
    this.byId("back").addEventListener("click", () => actions.onBack());
    this.byId("language").addEventListener("change", (event) => actions.onLanguage(event.target.value));
  }

  // Files are chosen with the button, dropped on the chat, or pasted into the text.
  listenForFiles(area) {
    const chat = this.byId("chat");
    const input = this.byId("file");
    const take = (event, transfer) => {
      const files = filesOf(transfer);
      if (!this.takesFiles || files.length === 0) return;
      event.preventDefault();
      this.actions.onFiles(files);
    };
    this.byId("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.actions.onFiles([...input.files]);
      input.value = "";
    });
    area.addEventListener("paste", (event) => take(event, event.clipboardData));
    chat.addEventListener("drop", (event) => {
      chat.classList.remove("dropping");
      take(event, event.dataTransfer);
    });
    chat.addEventListener("dragover", (event) => {
      if (!this.takesFiles || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      chat.classList.add("dropping");
    });
    chat.addEventListener("dragleave", () => chat.classList.remove("dropping"));
  }

  send() {
    if (this.actions.onSay(this.byId("text").value)) this.setText("");
    this.focusText();
  }

  // One press asks, the second ends.
  end() {
    clearTimeout(this.sureTimer);
    if (this.sure) {
      this.setSure(false);
      this.actions.onEnd();
      return;
    }
    this.setSure(true);
    this.sureTimer = setTimeout(() => this.setSure(false), SURE_MS);
  }

  setSure(sure) {
    this.sure = sure;
    const button = this.byId("end");
    button.classList.toggle("sure", sure);
    button.textContent = this.t?.(sure ? "end_sure" : "end") ?? "";
  }

  setText(words) {
    this.byId("text").value = words;
    this.fit();
  }

  focusText() {
    this.byId("text").focus();
  }

  fit() {
    const area = this.byId("text");
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  put(id, words) {
    const element = this.byId(id);
    if (element.textContent !== words) element.textContent = words;
  }

  show(id, shown) {
    this.byId(id).hidden = !shown;
  }

  draw(state) {
    const { t, phase } = state;
    this.t = t;
    this.document.documentElement.lang = state.language;
    this.document.title = state.heading || t("status_connecting");
    this.byId("language").value = state.language;
    this.drawLabels(t);
    this.put("title", state.heading);
    this.put("status", t(`status_${phase}`));
    this.put("banner", state.notice || t("offline"));
    this.show("banner", Boolean(state.notice) || (state.greeted && !state.online));
    this.show("choose", phase === "choose");
    this.show("chat", phase !== "choose" && state.greeted);
    this.show("end", phase === "waiting" || phase === "engaged");
    this.byId("end").disabled = !state.online;
    this.drawTopics(state.topics);
    this.drawKept(state);
    this.drawWaiting(state);
    this.drawMessages(state);
    this.takesFiles = state.takesFiles && phase !== "ended";
    this.show("attach", state.takesFiles);
    this.show("composer", phase !== "ended");
    this.show("over", phase === "ended");
    if (phase === "ended") this.put("over-text", state.parting || endText(state));
  }

  drawLabels(t) {
    this.put("language-label", t("language"));
    this.put("topic-label", t("topic"));
    this.put("name-label", t("name"));
    this.put("start", t("start"));
    this.put("text-label", t("text"));
    this.put("send", t("send"));
    this.byId("attach").title = t("attach");
    this.byId("attach").setAttribute("aria-label", t("attach"));
    this.put("again", t("again"));
    this.put("keep", t("keep"));
    this.put("back", t("back"));
    this.byId("text").placeholder = t("placeholder");
    this.byId("scroller").setAttribute("aria-label", t("text"));
    this.setSure(this.sure);
  }

  drawTopics(topics) {
    const key = JSON.stringify(topics);
    if (key === this.topicKey) return;
    this.topicKey = key;
    const list = this.byId("topics");
    const chosen = list.querySelector("input:checked")?.value ?? topics[0]?.name;
    list.replaceChildren(
      ...topics.map((topic) => {
        const label = this.document.createElement("label");
        label.className = "topic";
        const input = this.document.createElement("input");
        Object.assign(input, { type: "radio", name: "topic", value: topic.name, checked: topic.name === chosen });
        const words = this.document.createElement("span");
        words.textContent = topic.title;
        const hint = this.document.createElement("span");
        hint.className = "hint";
        hint.textContent = topic.hint;
        label.append(input, words, hint);
        return label;
      }),
    );
  }

  // Who has kept a place may come back to it as long as nothing else is going on.
  drawKept({ kept, phase, online, t }) {
    this.show("kept", Boolean(kept) && (phase === "choose" || phase === "ended"));
    this.put("kept-text", kept ? t("kept", { time: clock(kept.untilMs) }) : "");
    this.byId("back").disabled = !online;
    this.byId("again").classList.toggle("primary", !kept);
  }

  drawWaiting({ phase, position, minutes, agentLost, agentTyping, keepsPlaces, online, t }) {
    this.show("waiting", phase === "waiting");
    this.show("keep", keepsPlaces);
    this.byId("keep").disabled = !online;
    this.put("waiting-text", position ? t("ahead", { count: position }) : t("next"));
    this.put("waiting-minutes", waitText(minutes, t));
    this.show("waiting-minutes", Boolean(minutes));
    this.put("waiting-hint", t(agentLost ? "agent_lost" : "waiting_hint"));
    this.put("typing", t("agent_typing"));
    this.show("typing", phase === "engaged" && agentTyping);
  }

  drawMessages({ ordered, sending, phase, announced, t }) {
    const list = this.byId("messages");
    const scroller = this.byId("scroller");
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
    const stored = new Set(ordered.map((message) => message.external_id));
    const rows = ordered.map((message, index) => this.row(message, ordered[index - 1], t));
    if (announced) {
      const words = announcement(announced, t);
      const behind = ordered.filter((message) => message.position <= announced.behind).length;
      rows.splice(behind, 0, { key: `told:${words}`, sender: "system", text: words, byline: "", joined: false });
    }
    if (phase === "engaged" && !ordered.some((message) => message.sender === "agent")) {
      rows.push({ key: `here:${t("agent_here")}`, sender: "system", text: t("agent_here"), byline: "", joined: false });
    }
    for (const item of sending.filter((one) => !stored.has(one.external_id))) {
      const byline = t("sending");
      const files = item.file ? [{ name: item.name, size: item.file.size }] : [];
      const key = `out:${item.external_id}:${byline}`;
      rows.push({ key, sender: "customer", text: item.text, files, byline, sending: true });
    }
    const elements = rows.map((row) => this.shown.get(row.key) ?? this.element(row, t));
    this.shown = new Map(rows.map((row, index) => [row.key, elements[index]]));
    const same = elements.length === list.children.length && elements.every((one, index) => one === list.children[index]);
    if (!same) list.replaceChildren(...elements);
    this.follow = atEnd || (!same && sending.length > 0);
    if (this.follow) this.toEnd();
  }

  toEnd() {
    const scroller = this.byId("scroller");
    scroller.scrollTop = scroller.scrollHeight;
  }

  row(message, before, t) {
    const joined = before?.sender === message.sender && message.at_ms - before.at_ms < SAME_BREATH_MS;
    const who = message.sender === "agent" ? `${t("agent")} · ` : "";
    const byline = joined || message.sender === "system" ? "" : `${who}${clock(message.at_ms)}`;
    const { sender, text, files } = message;
    return { key: `${message.position}:${byline}`, sender, text, files, byline, joined };
  }

  element({ sender, text, files = [], byline, joined, sending }, t) {
    const item = this.document.createElement("li");
    item.className = `message ${sender}`;
    item.classList.toggle("joined", Boolean(joined));
    item.classList.toggle("sending", Boolean(sending));
    if (byline) {
      const line = this.document.createElement("p");
      line.className = "byline";
      line.textContent = byline;
      item.append(line);
    }
    if (text) {
      const words = this.document.createElement("p");
      words.className = "text";
      words.textContent = text;
      item.append(words);
    }
    item.append(...files.map((file) => this.files.element(file, t)));
    return item;
  }
}
