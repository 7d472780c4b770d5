import { WfctlError } from "@wfctl/model";

/** For a handle that was opened before the key of its state was changed: what it would seal nobody could open. */
export function keyChanged(location: string): WfctlError {
  return new WfctlError("KEY_WRONG", `Taking the lease of '${location}' failed: its key was changed a moment ago`, {
    hint: "Run the command again with the new key",
  });
}
