/** Light, dark, or as the system says; remembered. */

import { ref } from "vue";
import { browserStorage } from "./storage";

export type Theme = "auto" | "light" | "dark";
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

const storage = browserStorage("paidui.");
const isTheme = (value: string | null): value is Theme => THEMES.some((theme) => theme === value);
const remembered = storage.get("theme");

export const theme = ref<Theme>(isTheme(remembered) ? remembered : "auto");

const apply = (): void => {
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
};
apply();

export function setTheme(next: Theme): void {
  theme.value = next;
  storage.set("theme", next);
  apply();
}
