import { WfctlError } from "@wfctl/model";

/**
 * Group commit. Items pushed while one group is being written form the next group; groups are written one at a time, in
 * the order of the pushes. A group starts a microtask after its first item, so that what is pushed together is written
 * together. After one group failed, it and everything after it is rejected with the same error.
 */
export interface CommitQueue<T> {
  push(item: T): Promise<number>;
  /** Rejects every later push; what is queued already is still written. */
  fail(error: WfctlError): void;
  readonly failed: WfctlError | undefined;
  /** Resolves when nothing is queued or being written. */
  idle(): Promise<void>;
}

interface Waiting<T> {
  readonly item: T;
  readonly resolve: (serial: number) => void;
  readonly reject: (error: WfctlError) => void;
}

/** `write` makes a group durable and gives one result per item. */
export function createCommitQueue<T>(write: (group: readonly T[]) => Promise<readonly number[]>): CommitQueue<T> {
  let waiting: Waiting<T>[] = [];
  let failed: WfctlError | undefined;
  let draining: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    await Promise.resolve();
    let broken: WfctlError | undefined;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        const serials = await write(group.map(({ item }) => item));
        for (const [index, { resolve }] of group.entries()) resolve(serials[index]!);
      } catch (thrown) {
        broken = WfctlError.from(thrown, "STORE_UNAVAILABLE");
        failed ??= broken;
        for (const { reject } of group) reject(broken);
      }
    }
    draining = undefined;
  };

  return {
    push(item) {
      if (failed !== undefined) return Promise.reject(failed);
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        draining ??= drain();
      });
    },
    fail(error) {
      failed ??= error;
    },
    get failed() {
      return failed;
    },
    async idle() {
      await draining;
    },
  };
}
