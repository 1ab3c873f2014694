/** localStorage that may be full, switched off or shared with another version of the page. */

export interface KeyValue {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

/** Browser storage; a browser that refuses it costs the agent the memory of a reload, nothing else. */
export function browserStorage(prefix: string, storage: Storage = localStorage): KeyValue {
  const attempt = <T>(action: () => T, fallback: T): T => {
    try {
      return action();
    } catch {
      return fallback;
    }
  };
  return {
    get: (key) => attempt(() => storage.getItem(prefix + key), null),
    set: (key, value) => attempt(() => storage.setItem(prefix + key, value), undefined),
    remove: (key) => attempt(() => storage.removeItem(prefix + key), undefined),
    keys: () =>
      attempt(() => {
        const all = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
        return all.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      }, []),
  };
}

/** Reads a JSON value; anything unreadable counts as absent. */
export function readJson<T>(storage: KeyValue, key: string, isValid: (value: unknown) => value is T): T | null {
  const text = storage.get(key);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isValid(value) ? value : null;
  } catch {
    return null;
  }
}
