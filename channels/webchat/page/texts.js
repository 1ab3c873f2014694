// The page's texts in its two languages.

const TEXTS = {
  zh: {
    language: "语言",
    topic: "请选择要咨询的内容",
    name: "您的称呼（选填）",
    start: "开始对话",
    end: "结束对话",
    end_sure: "确定结束？",
    text: "输入消息",
    placeholder: "请输入您的问题…",
    send: "发送",
    sending: "发送中",
    agent: "客服",
    status_choose: "我们在线，随时为您服务",
    status_waiting: "排队中",
    status_engaged: "客服已接入",
    status_ended: "对话已结束",
    status_connecting: "正在连接…",
    next: "下一位就是您",
    ahead: "您前面还有 {count} 位",
    waiting_hint: "可以先留言，客服接入后即可看到。",
    agent_here: "客服已接入，请讲。",
    agent_typing: "对方正在输入…",
    ended_served: "对话已结束，感谢您的咨询。",
    ended_abandoned: "您已离开排队。",
    ended_blocked: "当前咨询人数已满，请稍后再试。",
    ended_withdrawn: "本次咨询已由客服结束。",
    again: "发起新的对话",
    offline: "网络中断，正在重连；您输入的内容不会丢失。",
    too_fast: "发送太快，稍后会自动重试。",
    busy: "系统繁忙，稍后会自动重试。",
    refused: "未能发送：{text}",
  },
  en: {
    language: "Language",
    topic: "What can we help you with?",
    name: "Your name (optional)",
    start: "Start chatting",
    end: "End chat",
    end_sure: "End it?",
    text: "Your message",
    placeholder: "Write your question…",
    send: "Send",
    sending: "Sending",
    agent: "Agent",
    status_choose: "We are here for you",
    status_waiting: "Waiting for an agent",
    status_engaged: "An agent is here",
    status_ended: "The chat has ended",
    status_connecting: "Connecting…",
    next: "You are next",
    ahead: "Customers before you: {count}",
    waiting_hint: "You can write already; the agent will see it.",
    agent_here: "An agent is here. Go ahead.",
    agent_typing: "The agent is typing…",
    ended_served: "The chat has ended. Thank you for contacting us.",
    ended_abandoned: "You have left the queue.",
    ended_blocked: "All our lines are full at the moment. Please try again later.",
    ended_withdrawn: "This chat was ended by our staff.",
    again: "Start a new chat",
    offline: "The connection is interrupted. Trying again; nothing you wrote is lost.",
    too_fast: "That was very fast; it will be sent again in a moment.",
    busy: "We are very busy; trying again in a moment.",
    refused: "Not sent: {text}",
  },
};

export const LANGUAGES = Object.keys(TEXTS);

export function text(language, key, parameters = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (whole, name) => String(parameters[name] ?? whole));
}

export function title(titles, language) {
  return titles[language] ?? titles.zh ?? Object.values(titles)[0] ?? "";
}
