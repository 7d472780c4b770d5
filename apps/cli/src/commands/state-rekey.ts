import { keyFilePath, thisHolder } from "@wfctl/state";
import { WfctlError } from "@wfctl/model";
import { parseStateRekey, stateRekeySpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { chooseNewKey } from "../session/new-key.ts";
import { findKey, noState } from "../session/open-state.ts";
import { findState } from "../session/read-state.ts";
import { confirm } from "../terminal/confirm.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateRekeyCommand: Command = {
  spec: stateRekeySpec,
  run: (argv, context) => runRekey(parseStateRekey(argv), context),
};

async function runRekey(args: ReturnType<typeof parseStateRekey>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  const info = await location.backend.readInfo();
  if (info === undefined) throw noState(location);
  const path = keyFilePath(context.env, info.lineage);
  const old = args.dropSecrets ? undefined : await findKey(info.lineage, context, location, false);
  if (old === undefined && !args.dropSecrets) {
    throw new WfctlError("KEY_REQUIRED", "Cannot change the key: the key in use is not on this machine", {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE; if it is lost: wfctl state rekey --drop-secrets",
    });
  }
  if (location.shared) requireGivenKey(context, args.dropSecrets);
  if (args.dropSecrets && !args.autoApprove) {
    const question = "Drop every secret that the state holds? The next apply reads or writes them again.";
    const yes = await confirm(question, context, AbortSignal.timeout(3_600_000));
    if (!yes) {
      view.changed({ command: "state rekey", text: "Nothing was changed.", details: { changed: false } });
      return 0;
    }
  }
  const next = await chooseNewKey(context, {
    lineage: info.lineage,
    path,
    dropsSecrets: args.dropSecrets,
    current: old,
  });
  try {
    await location.backend.rekey({ holder: thisHolder("wfctl state rekey"), newKey: next.key, oldKey: old?.key });
  } catch (error) {
    next.discard();
    throw error;
  }
  next.keep();
  view.changed({
    command: "state rekey",
    text: `The state is sealed with a new key (${next.where}). ${args.dropSecrets ? "Its secrets were dropped." : "The old one opens it no more."} Keep a copy of the new one in a safe place.`,
    details: { dropped: args.dropSecrets, where: next.where },
  });
  return 0;
}

/** A key file on this machine would open a shared state here and nowhere else. */
function requireGivenKey({ env }: Context, dropsSecrets: boolean): void {
  const isGiven = (name: string): boolean => (env[name] ?? "") !== "";
  if (isGiven("WFCTL_NEW_KEY")) return;
  if (dropsSecrets && ["WFCTL_KEY", "WFCTL_KEY_FILE", "WFCTL_PASSPHRASE"].some(isGiven)) return;
  throw new WfctlError("KEY_REQUIRED", "Cannot change the key of a shared state: the new key is not given", {
    hint: "Set WFCTL_NEW_KEY (openssl rand -base64 32), and give it as WFCTL_KEY everywhere afterwards",
  });
}
