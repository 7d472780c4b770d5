import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A bug that is planted into a copy of the engine: the simulation has to find it. */
export interface Mutant {
  readonly name: string;
  /** File below the engine's `src`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly put: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a call is sent while its intent is still being written",
    file: "apply/operate.ts",
    find: "() => commit(run, intentEvents(run, call, intent)),",
    put: "async () => void commit(run, intentEvents(run, call, intent)).catch(() => undefined),",
  },
  {
    name: "dependents start when the first of what they wait for is done",
    file: "apply/schedule.ts",
    find: "if (open[dependent] === 0) enqueue(dependent);",
    put: "enqueue(dependent);",
  },
  {
    name: "a create that is not seen at once is taken for absent",
    file: "recover/resolve-create.ts",
    find: "if (leftMs > 0) {",
    put: "if (leftMs > 1e15) {",
  },
  {
    name: "the old object of a create-first replace is forgotten",
    file: "apply/create-object.ts",
    find: "deposed: [...beside.deposed, deposedOf(beside, run.id)],",
    put: "deposed: [],",
  },
  {
    name: "recovery forgets the old object of a create-first replace",
    file: "recover/record-after.ts",
    find: "return { ...made, deposed: [...old.deposed, deposedOf(old, intent.run)] };",
    put: "return made;",
  },
  {
    name: "a delete that failed is taken for done",
    file: "apply/call-ends.ts",
    find: 'return failed(error.answered ? providerErrorCodes[error.class] : "INTERRUPTED", message);',
    put: "return success;",
  },
  {
    name: "a delete does not wait for what stands on its object",
    file: "plan/nodes.ts",
    find: "if (!deleteFirst || isDelete) (nodes[going] as { after: Set<number> }).after.add(gone);",
    put: "",
  },
  {
    name: "recovery closes intents of which nothing is known",
    file: "recover/recover-run.ts",
    find: 'const keep = resolution.found === "unknown";',
    put: "const keep = false;",
  },
  {
    name: "a run closes intents of which nothing is known",
    file: "apply/settle.ts",
    find: "...(made.end?.keepIntents === true || made.keepIntents === true ? { keepIntents: true } : {}),",
    put: "",
  },
  {
    name: "values of secret outputs are not marked where they are used",
    file: "substitute/evaluate.ts",
    find: "if (result.sensitive) sensitive.push(pointer);",
    put: "",
  },
  {
    name: "messages are not redacted",
    file: "report/redact.ts",
    find: 'let result = "";',
    put: "if (text !== '') return text;\n      let result = \"\";",
  },
  {
    name: "what a forgotten finalizer owes is not updated again",
    file: "finalize/owed-records.ts",
    find: "if (owed.size === 0) return [];",
    put: "if (owed.size >= 0) return [];",
  },
  {
    name: "an undo does not wait for the undo of what stands on it",
    file: "compensate/compensate-run.ts",
    find: 'return step.how === "none" && !step.stands;',
    put: "return true;",
  },
  {
    name: "the clean-up is not declared before its first call",
    file: "apply/schedule.ts",
    find: 'run.cleanupMark ??= commit(run, [{ kind: "cleanup-started", run: run.id }]);',
    put: "run.cleanupMark ??= Promise.resolve();",
  },
  {
    name: "records that are as wanted are not settled",
    file: "apply/apply-plan.ts",
    find: 'for (const record of options.settle ?? []) events.push({ kind: "record", run: run.id, record });',
    put: "",
  },
  {
    name: "creates without a token are sent again as well",
    file: "apply/operate.ts",
    find: '{ repeatable: call.operation === "delete" || tokens, maxAttempts, deadlineAt: deadlineMs },',
    put: "{ repeatable: true, maxAttempts, deadlineAt: deadlineMs },",
  },
  {
    name: "a create is repeated under another token",
    file: "recover/resolve-create.ts",
    find: "clientToken: intent.clientToken };",
    put: "clientToken: env.random.id() };",
  },
  {
    name: "a definite answer to a second attempt hides the first",
    file: "apply/operate.ts",
    find: 'if (error.definite && (sends <= 1 || (call.operation === "delete" && error.class === "not_found")))',
    put: "if (error.definite)",
  },
  {
    name: "what stands on a resource of unknown state goes on",
    file: "apply/early-ends.ts",
    find: "const unknown = run.unknown.size === 0 ? undefined : unknownNeighbour(run, node);",
    put: "const unknown = undefined as string | undefined;",
  },
  {
    name: "an undone create is only forgotten",
    file: "compensate/undo-action.ts",
    find: "if ((await readObject(run, provider, ref)) !== undefined) {",
    put: "if (run.id === '') {",
  },
  {
    name: "an update that was lost in the middle counts as done",
    file: "recover/resolve-intent.ts",
    find: 'return { ...ours, complete: false, why: "the object is not as intended" };',
    put: 'return { ...ours, complete: true, why: "the object is not as intended" };',
  },
  {
    name: "an update that shows no effect is believed at once to have none",
    file: "recover/resolve-intent.ts",
    find: "if (early === undefined) {",
    put: "if (early === undefined || !quiet) {",
  },
  {
    name: "a delete that shows no effect is believed at once to have none",
    file: "recover/resolve-intent.ts",
    find: 'if (early === undefined) return { found: "there", object, why: "the object is still there" };',
    put: 'return { found: "there", object, why: "the object is still there" };',
  },
  {
    name: "a host that was stopped and continued sends on the strength of an old lease",
    file: "apply/prove-lease.ts",
    find: "if (clock.now() - beganMs <= provenForMs) return;",
    put: "return;",
  },
  {
    name: "a call is tried again without asking for the lease",
    file: "apply/dispatch.ts",
    find: "await env.confirmLease?.();",
    put: "",
  },
  {
    name: "the undo of an adoption keeps the record",
    file: "compensate/undo-action.ts",
    find: "? { remove: action.name }\n          : { put: step.restore },",
    put: "? { put: found }\n          : { put: step.restore },",
  },
  {
    name: "what is to be retained is deleted",
    file: "plan/drafts.ts",
    find: 'const kind = record.retain ? "forget" : "delete";',
    put: 'const kind = record.name === "" ? "forget" : "delete";',
  },
  {
    name: "what is only to be read is compared and written",
    file: "plan/decide.ts",
    find: "if (resource.existing) return context.call(() => readExisting(resource, context, base, leaving));",
    put: "if (resource.existing && record === undefined) return context.call(() => readExisting(resource, context, base, leaving));",
  },
  {
    name: "protection is taken from nowhere",
    file: "plan/protection.ts",
    find: "return record?.protected === true || desired?.protected === true;",
    put: "return record === desired && desired !== undefined;",
  },
  {
    name: "hooks that a dead run owes are not called",
    file: "recover/recover-run.ts",
    find: "await callOwedHooks(recovery, run);",
    put: "for (const { index } of run.state.header.actions) run.hooksOwed.delete(index);",
  },
  {
    name: "hooks that closed runs owe are not called",
    file: "recover/recover-runs.ts",
    find: "await callHooksOfClosedRuns(recovery, state);",
    put: "",
  },
  {
    name: "a hook is called before its effect is durable",
    file: "apply/settle.ts",
    find: "if (!(await orUnrecorded(run, node, commit(run, effect), effect))) {",
    put: "void commit(run, effect).catch(() => undefined);\n  if (run.id === '') {",
  },
  {
    name: "hooks run at the same time",
    file: "apply/hooks.ts",
    find: "const result = run.hookChain.then(work);",
    put: "const result = work();",
  },
  {
    name: "who listens is not told of the new object of a create-first replace",
    file: "apply/create-object.ts",
    find: 'return { end: "half", record: { put: half }, hook: { applied: half } };',
    put: 'return { end: "half", record: { put: half } };',
  },
  {
    name: "who listens is not told of what an undo has deleted",
    file: "compensate/undo-hooks.ts",
    find: 'if (deleted === undefined || step.how !== "delete") return undefined;',
    put: "return undefined;",
  },
  {
    name: "a hook of an undo is not owed before it is called",
    file: "compensate/compensate-run.ts",
    find: "if (hook !== undefined) events.push(hook.owed);",
    put: "if (hook !== undefined) events.push();",
  },
  {
    name: "slots that a dead run left open stay open",
    file: "recover/recover-run.ts",
    find: 'events.push({ kind: "outcome", run: header.id, outcome });',
    put: "",
  },
  {
    name: "an undo deletes what its run is not proven to have made",
    file: "compensate/undo-steps.ts",
    find: 'return { how: record.createdByUs ? "delete" : "forget", providerId: record.providerId, restore: image };',
    put: 'return { how: "delete", providerId: record.providerId, restore: image };',
  },
  {
    name: "an undo keeps what was only read before its run",
    file: "compensate/undo-action.ts",
    find: ": { put: step.restore },",
    put: ": { put: found },",
  },
];

/**
 * Runs `work` with the URL of a simulation worker whose engine has the bug. The engine under test is a copy in a
 * temporary folder; the one in the repository stays as it is.
 */
export async function withMutant<T>(mutant: Mutant, work: (workerUrl: URL) => Promise<T>): Promise<T> {
  const testkit = fileURLToPath(new URL("../..", import.meta.url));
  const packages = dirname(testkit.replace(/\/$/, ""));
  const root = await mkdtemp(join(tmpdir(), "wfctl-mutant-"));
  try {
    const scope = join(root, "node_modules/@wfctl");
    await mkdir(scope, { recursive: true });
    for (const name of ["engine", "testkit"]) {
      await cp(join(packages, name, "src"), join(root, "packages", name, "src"), { recursive: true });
      await cp(join(packages, name, "package.json"), join(root, "packages", name, "package.json"));
      await symlink(join(root, "packages", name), join(scope, name));
    }
    for (const name of ["model", "state", "expressions"]) await symlink(join(packages, name), join(scope, name));
    await plant(join(root, "packages/engine/src", mutant.file), mutant);
    return await work(pathToFileURL(join(root, "packages/testkit/src/simulation/worker.ts")));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function plant(file: string, mutant: Mutant): Promise<void> {
  const source = await readFile(file, "utf8");
  const places = source.split(mutant.find).length - 1;
  if (places !== 1) throw new Error(`Mutant "${mutant.name}" fits ${places} places of ${mutant.file}, expected one`);
  await writeFile(
    file,
    source.replace(mutant.find, () => mutant.put),
  );
}
