import { isJsonObject, WfctlError, type Json } from "@wfctl/model";
import { createCursor } from "./cursor.ts";
import type { ForeignState } from "./foreign-state.ts";
import { readPulumiExport } from "./read-pulumi-export.ts";
import { readTerraformState } from "./read-terraform-state.ts";

/**
 * Reads a `terraform.tfstate` of version 4 or the JSON of `pulumi stack export` of version 3, told apart by what is in
 * them. Throws with the place of what cannot be read, and by name where it is another file of these tools.
 */
export function readForeignState(file: string, value: Json): ForeignState {
  const refuse = (found: string, hint: string): WfctlError =>
    new WfctlError("IMPORT_INVALID", `Cannot import "${file}": ${found}`, { hint: `${hint}; nothing was imported` });
  if (!isJsonObject(value)) throw createCursor(file, value).refuse("is no state: its content is no object");
  if ("encrypted_data" in value) {
    throw refuse("it is a state that OpenTofu has encrypted", "Write it in clear first: tofu state pull > FILE");
  }
  if ("format_version" in value && ("values" in value || "planned_values" in value)) {
    throw refuse(
      `it is what "terraform show -json" prints, and not a state`,
      "Take the state itself: terraform state pull > FILE",
    );
  }
  const { version } = value;
  if ("deployment" in value) {
    if (version === 3) return readPulumiExport(file, value);
    throw refuse(
      `its version of Pulumi's format is ${JSON.stringify(version ?? null)}, expected 3`,
      "Write it with: pulumi stack export",
    );
  }
  if ("lineage" in value || "terraform_version" in value || "modules" in value || Array.isArray(value["resources"])) {
    if (version === 4) return readTerraformState(file, value);
    throw refuse(
      `its version of Terraform's format is ${JSON.stringify(version ?? null)}, expected 4`,
      typeof version === "number" && version < 4
        ? "Terraform 0.13 or newer writes it anew with the next apply; then: terraform state pull > FILE"
        : "Take the state with a Terraform of version 1: terraform state pull > FILE",
    );
  }
  throw refuse(
    "it is neither a state of Terraform, nor an export of Pulumi, nor one of wfctl",
    "Name a terraform.tfstate, the output of pulumi stack export, or of wfctl state export",
  );
}
