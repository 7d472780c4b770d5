/** Tells every listener of the moment; who comes later has missed it. */
export interface Broadcast<Event> {
  emit(event: Event): void;
  /** Returns what ends the listening. */
  listen(listener: (event: Event) => void): () => void;
}

export function createBroadcast<Event>(): Broadcast<Event> {
  const listeners = new Set<(event: Event) => void>();
  return {
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
