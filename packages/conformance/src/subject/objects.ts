import type { CallContext, LiveObject } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import type { Sample } from "../config/sample.ts";
import { Skip } from "../scenario.ts";
import { describeEnd, readObject, saysAbsent, tryCreate, tryDelete, tryRead, type Ref } from "./driver.ts";
import type { Subject } from "./subject.ts";

/** An object that the suite made. */
export interface Made {
  readonly ref: Ref;
  readonly config: JsonObject;
  /** As the create answered. */
  readonly object: LiveObject;
}

/** What the suite makes, so that nothing of it stays. */
export interface Objects {
  /** Creates one. Throws a `Problem` where the create does not succeed as it should. */
  make(sample: Sample, options?: { name?: string; config?: JsonObject; context?: CallContext }): Promise<Made>;
  /** The one object of the sample that scenarios look at and leave as it is. Throws a `Skip` where it cannot be made. */
  shared(sample: Sample): Promise<Made>;
  /** Something that may be there is the suite's to remove. */
  track(sample: Sample, ref: Ref): void;
  remove(sample: Sample, made: Made): Promise<void>;
  /** Removes everything. One line for each object that is still there, or may be. */
  cleanUp(): Promise<readonly string[]>;
}

export function createObjects(subject: Subject): Objects {
  const tracked = new Map<string, { sample: Sample; ref: Ref }>();
  const sharedObjects = new Map<Sample, Promise<Made>>();
  const keyOf = (ref: Ref): string => `${ref.type}\n${ref.providerId === "" ? `name ${ref.name}` : ref.providerId}`;

  const make: Objects["make"] = async (sample, options = {}) => {
    const { name = subject.freshName(sample.name), config = sample.config, context } = options;
    const { plugin } = await subject.session();
    const unknown = { name, type: sample.type, providerId: "" };
    // Until the answer is there nothing but the name is known.
    tracked.set(keyOf(unknown), { sample, ref: unknown });
    const ended = await tryCreate(plugin, sample, name, config, context);
    const object = readObject("Create", ended, { name, type: sample.type });
    const ref = { name, type: sample.type, providerId: object.providerId };
    tracked.delete(keyOf(unknown));
    tracked.set(keyOf(ref), { sample, ref });
    return { ref, config, object };
  };

  const removeOne = async (sample: Sample, ref: Ref): Promise<string | undefined> => {
    const { plugin } = await subject.session();
    const ended = await tryDelete(plugin, sample, ref);
    const what = `${ref.type} "${ref.name}"${ref.providerId === "" ? "" : ` (${ref.providerId})`}`;
    if (!ended.ok && !saysAbsent(ended)) return `${what}: Delete failed with ${describeEnd(ended)}`;
    const after = await tryRead(plugin, ref);
    return after.ok ? `${what}: Read still finds it after Delete` : undefined;
  };

  return {
    make,
    async shared(sample) {
      let made = sharedObjects.get(sample);
      if (made === undefined) sharedObjects.set(sample, (made = make(sample)));
      try {
        return await made;
      } catch (error) {
        throw new Skip(`no object to try it on: ${(error as Error).message}`);
      }
    },
    track: (sample, ref) => void tracked.set(keyOf(ref), { sample, ref }),
    async remove(sample, made) {
      tracked.delete(keyOf(made.ref));
      await removeOne(sample, made.ref);
    },
    async cleanUp() {
      const left: string[] = [];
      for (const { sample, ref } of [...tracked.values()].toReversed()) {
        const problem = await removeOne(sample, ref).catch(
          (error: unknown) => `${ref.type} "${ref.name}": ${String(error)}`,
        );
        if (problem !== undefined) left.push(problem);
      }
      tracked.clear();
      return left;
    },
  };
}
