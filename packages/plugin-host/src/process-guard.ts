/** Ends what is still running when the host process ends by itself. */
export interface ProcessGuard {
  /** `kill` must be synchronous. Returns the function that takes it out again. */
  add(kill: () => void): () => void;
}

/** One listener on the host's exit for any number of processes; it is there only while there is something to kill. */
export function createProcessGuard(): ProcessGuard {
  const kills = new Set<() => void>();
  const killAll = (): void => {
    for (const kill of kills) kill();
  };
  return {
    add(kill) {
      if (kills.size === 0) process.on("exit", killAll);
      kills.add(kill);
      return () => {
        kills.delete(kill);
        if (kills.size === 0) process.off("exit", killAll);
      };
    },
  };
}
