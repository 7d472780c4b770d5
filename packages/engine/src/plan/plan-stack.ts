import { isDestructive, type DesiredResource, type Diagnostic, type PlanAction, type PlanNote } from "@wfctl/model";
import { topologicalOrder } from "../graph/topology.ts";
import { createSecretSet, secretsOfState, type SecretSet } from "../report/redact.ts";
import { accountDiagnostics } from "./accounts.ts";
import { decideAll } from "./decide-all.ts";
import { describeDeferred } from "./deferral.ts";
import { hideSecrets } from "./describe-changes.ts";
import { draftAction, draftDeposed, draftRemoval, unknownNote, type Draft } from "./drafts.ts";
import { finishPlan } from "./finish-plan.ts";
import { applyMoves } from "./moves.ts";
import { buildNodes } from "./nodes.ts";
import { actionOrder, circleDiagnostics, deletionOrder } from "./order.ts";
import type { Planned, PlanInput } from "./plan-input.ts";
import { isProtected, protectionDiagnostics } from "./protection.ts";
import { renameNotes } from "./rename-notes.ts";
import { settleReplaceModes } from "./replace-modes.ts";
import { dependenciesOf } from "./resolve.ts";
import { chooseScope, isNamedOut, leftBehind } from "./scope.ts";

/** Compares what is wanted with what is recorded (and, where the record is not to be trusted, with the cloud). Changes nothing. */
export async function planStack(input: PlanInput): Promise<Planned> {
  const moved = input.moved.filter(({ from, to }) => !isNamedOut(input, from) || !isNamedOut(input, to));
  const moves = applyMoves(input.state.records, moved, input.desired, input.state.unknown);
  const records = moves.records;
  const desiredByName = new Map(input.desired.map((resource) => [resource.name, resource]));
  const dependencies = new Map(input.desired.map((resource) => [resource.name, dependenciesOf(resource)]));
  const order = topologicalOrder(
    input.desired.map((resource) => resource.name),
    (name) => dependencies.get(name) ?? [],
  ).map((name) => desiredByName.get(name) as DesiredResource);
  const scope = chooseScope(input, records, dependencies);
  const touched = [...records.values()].filter((record) => scope.has(record.name));
  const diagnostics: Diagnostic[] = [
    ...moves.diagnostics,
    ...scope.diagnostics,
    ...accountDiagnostics(touched, input.providers),
  ];
  const notes: PlanNote[] = [...scope.notes];

  const secrets = createSecretSet();
  const decisions = await decideAll(order, dependencies, records, scope, input, diagnostics, notes, secrets);
  const { modes, notes: modeNotes } = settleReplaceModes(
    order,
    decisions,
    (name) => dependencies.get(name) ?? [],
    (name) => records.get(name)?.dependencies ?? [],
    (resource) => {
      const traits = input.providers.get(resource.provider)?.traits(resource.type);
      return traits?.createFirst === true || resource.lifecycle.replace === "create-first";
    },
  );
  notes.push(...modeNotes);
  diagnostics.push(...leftBehind([...modes.keys()], scope, records));

  const drafts: Draft[] = [];
  const settle = [...moves.changes];
  let unchanged = 0;
  for (const resource of order) {
    const decision = decisions.get(resource.name);
    if (decision === undefined) continue;
    if (decision.kind === "none") {
      unchanged += 1;
      if (decision.settle !== undefined) settle.push({ put: decision.settle });
      continue;
    }
    const deferred = describeDeferred(decision.waits, decisions);
    drafts.push(draftAction(resource, decision, modes.get(resource.name), records.get(resource.name), input, deferred));
  }
  for (const record of deletionOrder(records)) {
    if (!scope.has(record.name)) continue;
    if (input.state.unknown.has(record.name)) {
      if (!desiredByName.has(record.name)) notes.push(unknownNote(record.name, input.state));
      continue;
    }
    if (!desiredByName.has(record.name)) drafts.push(draftRemoval(record, input));
    for (const old of record.deposed) drafts.push(draftDeposed(record, old.providerId));
  }
  for (const name of input.state.unknown.keys()) {
    if (!records.has(name) && !desiredByName.has(name)) notes.push(unknownNote(name, input.state));
  }

  const blocked = drafts.filter(
    (draft) =>
      isDestructive(draft.kind) &&
      draft.deposed === undefined &&
      isProtected(records.get(draft.name), draft.desired) &&
      !input.allowReplace.has(draft.name),
  );
  diagnostics.push(...protectionDiagnostics(blocked));
  notes.push(...renameNotes(drafts, records, (name) => decisions.get(name)?.config));
  const nodes = buildNodes(drafts, (name) => dependencies.get(name) ?? records.get(name)?.dependencies ?? [], records);
  diagnostics.push(...circleDiagnostics(drafts, nodes), ...doubleImports(drafts, input));
  const after = actionOrder(drafts.length, nodes);
  if (drafts.length + diagnostics.length > 0) secretsOfState(input.state, secrets);
  const actions = drafts.map((draft, index): PlanAction => ({
    index,
    ...draft,
    changes: hideSecrets(draft.changes, secrets),
    after: after[index] as number[],
  }));
  // Notes come in as the providers answer: the digest needs one order.
  notes.sort((a, b) => compareTexts(a.name, b.name) || compareTexts(a.code, b.code) || compareTexts(a.text, b.text));
  const plan = finishPlan(input, { actions, nodes, notes, unchanged, records });
  return { plan, diagnostics: redactAll(diagnostics, secrets), settle };
}

/** Two resources cannot be one object, whatever name each of them has for it. */
function doubleImports(drafts: readonly Draft[], input: PlanInput): Diagnostic[] {
  const first = new Map<string, string>();
  return drafts.flatMap((draft): Diagnostic[] => {
    if (draft.importId === undefined) return [];
    const key = JSON.stringify([draft.provider, draft.type, draft.importId]);
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, draft.name);
      return [];
    }
    const source = input.imports?.find((request) => request.to === draft.name)?.source;
    return [
      {
        severity: "error",
        code: "CONFIG_INVALID",
        address: draft.name,
        summary: `Cannot import "${draft.name}": "${other}" is imported from the same object, "${draft.importId}"`,
        hint: "Keep one of the two import entries",
        ...(source === undefined ? {} : { source }),
      },
    ];
  });
}

/** Providers may repeat in their errors what they were given. */
function redactAll(diagnostics: readonly Diagnostic[], secrets: SecretSet): readonly Diagnostic[] {
  return diagnostics.map((each) => ({ ...each, summary: secrets.redact(each.summary) }));
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
