import { existsSync } from "node:fs";
import { parseStateRead, stateAuditSecretsSpec, type StateArguments } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { auditSecrets, stateFiles } from "../session/audit-secrets.ts";
import { openWithKey } from "../session/open-state.ts";
import { findState } from "../session/read-state.ts";
import { createView } from "../views/create-view.ts";
import { exitCodes, type Command } from "./command.ts";

export const stateAuditSecretsCommand: Command = {
  spec: stateAuditSecretsSpec,
  run: (argv, context) => runAudit(parseStateRead(stateAuditSecretsSpec, argv), context),
};

async function runAudit(args: StateArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  const { store } = await openWithKey(location, context, view, { readOnly: true });
  const opened = await store.load();
  await store.close();
  const locked = await location.backend.open({ readOnly: true });
  const sealed = await locked.load();
  await locked.close();
  const path = location.backend.location;
  const files = existsSync(path) ? stateFiles(path) : [];
  const findings = auditSecrets(opened, sealed, files);
  view.audit({ location: path, records: opened.records.size, findings });
  return findings.some((finding) => finding.severity === "error") ? exitCodes.error : exitCodes.success;
}
