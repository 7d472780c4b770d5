import { writeFileSync } from "node:fs";
import { ask } from "@wfctl/engine";
import { WfctlError, type ResourceRecord } from "@wfctl/model";
import type { PluginProvider } from "@wfctl/plugin-host";
import { fitConfig } from "./import-all/fit-config.ts";
import { describe } from "./import-all/list-all.ts";
import { mapSome } from "./import-all/map-some.ts";
import { writeFound, type NamedObject } from "./import-all/write-found.ts";
import { createRunId, realClock, realRandom } from "./runtime.ts";
import type { WritingSession } from "./writing-session.ts";

export interface WrittenImports {
  /** Names of what is in the file; where it is none, there is no file. */
  readonly names: readonly string[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** Writes recorded resources that the stack file does not name as a file to be named under `imports:` of it. */
export async function writeImported(
  session: WritingSession,
  names: readonly string[],
  file: { readonly path: string; readonly shown: string },
): Promise<WrittenImports> {
  const { records } = await session.store.load();
  const wanted = names.flatMap((name) => records.get(name) ?? []);
  const providers = await session.providers.startAll(new Set(wanted.map(({ provider }) => provider)));
  const call = { run: createRunId(Date.now()), signal: session.interrupts.signal };
  const read = await mapSome(wanted, (record) =>
    toConfig(record, providers.get(record.provider) as PluginProvider, call),
  );
  session.interrupts.throwIfInterrupted();
  const written = read.filter((each) => "config" in each);
  const skipped = read.filter((each) => "why" in each);
  if (written.length > 0) {
    const text = await writeFound(written, session.stack, [
      `Resources that wfctl state import has recorded for the stack ${session.stack.name}. Name this file under imports: of the stack file.`,
      "The import entries say which objects they are; they may go.",
    ]);
    writeNew(file, text);
  }
  return { names: written.map(({ name }) => name), skipped };
}

async function toConfig(
  { name, type, providerId }: ResourceRecord,
  provider: PluginProvider,
  call: { readonly run: string; readonly signal: AbortSignal },
): Promise<NamedObject | { readonly name: string; readonly why: string }> {
  try {
    const caller = { clock: realClock, random: realRandom, runId: call.run, signal: call.signal };
    const live = await ask(caller, { timeouts: {} }, (options) => provider.read({ name, type, providerId }, options));
    if (live === undefined) return { name, why: "it is gone" };
    if (live.inputs === undefined) return { name, why: `plugin "${provider.name}" does not tell its configuration` };
    const object = { provider, type, providerId, name: live.name, tags: [], live, inputs: live.inputs };
    const fit = await fitConfig(object, name, call);
    return "config" in fit ? { name, object, config: fit.config } : { name, why: fit.why };
  } catch (thrown) {
    if (call.signal.aborted) throw thrown;
    return { name, why: `it cannot be read: ${describe(thrown)}` };
  }
}

function writeNew({ path, shown }: { readonly path: string; readonly shown: string }, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new WfctlError("USAGE", `Cannot write "${shown}"${isThere ? ": it exists already" : ""}`, {
      hint: `Name a new file in a folder that exists; what was imported is recorded, and the same command writes it`,
      cause,
    });
  }
}
