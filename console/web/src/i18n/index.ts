/** Texts of the page in its languages, with keys that the compiler checks. */

import { ref } from "vue";
import type { Title, WireError } from "../api/wire";
import { browserStorage } from "../lib/storage";
import { en } from "./en";
import { zh } from "./zh";

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;
export type Language = "zh" | "en";

export const LANGUAGES: readonly { code: Language; label: string }[] = [
  { code: "zh", label: "中文" },
  { code: "en", label: "English" },
];

const TEXTS: Record<Language, Texts> = { zh, en };
const storage = browserStorage("paidui.");

const preferred = (): Language => {
  const remembered = storage.get("language");
  if (remembered === "zh" || remembered === "en") return remembered;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
};

export const language = ref<Language>(preferred());
document.documentElement.lang = language.value;

export function setLanguage(code: Language): void {
  language.value = code;
  document.documentElement.lang = code;
  storage.set("language", code);
}

/** The text for a key in the current language; `{name}` stands for a parameter. */
export function t(key: TextKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** A title of the configuration in the current language, else in any. */
export function titleText(title: Title | null | undefined, fallback = ""): string {
  if (typeof title === "string") return title || fallback;
  if (!title) return fallback;
  return title[language.value] ?? title["zh"] ?? Object.values(title)[0] ?? fallback;
}

const isKey = (key: string): key is TextKey => key in en;

/** What to tell a person about a refusal: our own words for a known code, else the server's. */
export function errorText(error: WireError): string {
  const key = `error.${error.code}`;
  return isKey(key) ? t(key) : error.message || error.code;
}

/** The customer's name, or a number for one who gave none. */
export function customerName(customer: string | null, contact: number): string {
  return customer?.trim() || t("visitor", { number: contact });
}
