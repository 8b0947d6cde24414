// A value that lives outside the component tree (a running import, a running round), so that changing screens does not stop it.
import { useSyncExternalStore } from 'react';

export interface ExternalStore<T> {
  get(): T;
  /** Tells its readers at once, or with a `delayMs` together with the changes that follow within it. */
  set(value: T, delayMs?: number): void;
  subscribe(listener: () => void): () => void;
}

export function createExternalStore<T>(initial: T): ExternalStore<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const publish = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const listener of listeners) listener();
  };
  return {
    get: () => value,
    set(next, delayMs = 0) {
      value = next;
      if (delayMs === 0) publish();
      else timer ??= setTimeout(publish, delayMs);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

export function useExternalStore<T>(store: ExternalStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
