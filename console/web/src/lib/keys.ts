/** Which key does what, and the rule that keeps input methods safe. */

export interface KeyPress {
  key: string;
  code: string;
  keyCode: number;
  isComposing: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

/**
 * Says whether the key belongs to an input method, as when Enter confirms a Chinese candidate.
 *
 * Safari reports the confirming Enter with isComposing already false; the legacy code 229 is then the only sign.
 */
export function isInputMethodKey(press: Pick<KeyPress, "isComposing" | "keyCode">): boolean {
  return press.isComposing || press.keyCode === 229;
}

/** Enter sends, Shift+Enter starts a line, and an input method's Enter does neither. */
export function sendsMessage(press: KeyPress): boolean {
  if (press.key !== "Enter" || isInputMethodKey(press)) return false;
  return !press.shiftKey && !press.altKey && !press.ctrlKey && !press.metaKey;
}

export type Shortcut =
  | "accept"
  | "decline"
  | "presence"
  | "next_waiting"
  | "hold"
  | "park"
  | "invite"
  | "transfer"
  | "leave"
  | "end"
  | "done"
  | "board"
  | "help";

/** By physical key, so that they are the same under every keyboard layout and input method. */
const SHORTCUT_CODES: Readonly<Record<string, Shortcut>> = {
  KeyA: "accept",
  KeyX: "decline",
  KeyR: "presence",
  KeyQ: "end",
  KeyW: "done",
  KeyN: "next_waiting",
  KeyH: "hold",
  KeyP: "park",
  KeyI: "invite",
  KeyT: "transfer",
  KeyL: "leave",
  KeyO: "board",
  Slash: "help",
};

/** The shortcuts as the page lists them. */
export const SHORTCUTS: readonly { keys: string; shortcut: Shortcut | "nth" }[] = [
  { keys: "Alt+A", shortcut: "accept" },
  { keys: "Alt+X", shortcut: "decline" },
  { keys: "Alt+R", shortcut: "presence" },
  { keys: "Alt+N", shortcut: "next_waiting" },
  { keys: "Alt+1 … 9", shortcut: "nth" },
  { keys: "Alt+H", shortcut: "hold" },
  { keys: "Alt+P", shortcut: "park" },
  { keys: "Alt+I", shortcut: "invite" },
  { keys: "Alt+T", shortcut: "transfer" },
  { keys: "Alt+L", shortcut: "leave" },
  { keys: "Alt+Q", shortcut: "end" },
  { keys: "Alt+W", shortcut: "done" },
  { keys: "Alt+O", shortcut: "board" },
  { keys: "Alt+/", shortcut: "help" },
];

/** The shortcut of a key press, the conversation's number from 0 for Alt+1..9, or null. */
export function shortcutOf(press: KeyPress): Shortcut | number | null {
  if (isInputMethodKey(press)) return null;
  // AltGr types letters on many layouts and arrives as Ctrl+Alt.
  if (!press.altKey || press.ctrlKey || press.metaKey || press.shiftKey) return null;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(press.code);
  if (digit) return Number(digit[1]) - 1;
  return SHORTCUT_CODES[press.code] ?? null;
}
