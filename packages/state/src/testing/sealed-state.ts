import type { StackState } from "@wfctl/model";
import { isSealed } from "../sealing/sealer.ts";
import { mapStackSecrets } from "../sealing/secrets.ts";

/** True where every secret of the state is sealed and there is at least one. */
export function isSealedState(state: StackState): boolean {
  let [sealed, plain] = [0, 0];
  mapStackSecrets(state, (value) => {
    if (isSealed(value)) sealed += 1;
    else plain += 1;
    return value;
  });
  return sealed > 0 && plain === 0;
}
