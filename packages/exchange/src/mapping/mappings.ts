import { aws } from "./aws.ts";
import { digitalocean } from "./digitalocean.ts";
import type { PartMapping, ProviderMapping, TypeMapping } from "./type-mapping.ts";

const providers: readonly ProviderMapping[] = [aws, digitalocean];

/** Foreign types that others often ask for, with what to write instead. */
const advice: Readonly<Record<string, string>> = {
  local_file: "an infra.storage of the local provider is a folder: write its files under files",
  local_sensitive_file: "an infra.storage of the local provider is a folder: write its files under files",
  "local:index/file:File": "an infra.storage of the local provider is a folder: write its files under files",
  random_password: "write it as a generated secret, secrets.generate, with the value that it has",
  random_id: "write its value into the stack file",
  random_string: "write its value into the stack file",
  "random:index/randomPassword:RandomPassword":
    "write it as a generated secret, secrets.generate, with the value that it has",
  null_resource: "it is no object",
  terraform_data: "it is no object",
  time_sleep: "it is no object",
};

export type Known =
  | { readonly is: "type"; readonly provider: ProviderMapping; readonly mapping: TypeMapping }
  | { readonly is: "part"; readonly part: PartMapping }
  | { readonly is: "unknown"; readonly why: string };

/** What a foreign type is to us. */
export function findMapping(foreign: string): Known {
  for (const provider of providers) {
    for (const mapping of provider.types) {
      if (mapping.terraform.includes(foreign) || mapping.pulumi.includes(foreign))
        return { is: "type", provider, mapping };
    }
    for (const part of provider.parts) {
      if (part.terraform.includes(foreign) || part.pulumi.includes(foreign)) return { is: "part", part };
    }
  }
  const known = advice[foreign];
  return { is: "unknown", why: known ?? `no resource type of ours is known to be a ${foreign}` };
}

/** Every foreign type that is known, with ours; for the documentation and its test. */
export function listMappings(): readonly {
  readonly foreign: string;
  readonly provider: string;
  readonly part: boolean;
}[] {
  return providers.flatMap(({ provider, types, parts }) => [
    ...types.flatMap(({ terraform, pulumi }) =>
      [...terraform, ...pulumi].map((foreign) => ({ foreign, provider, part: false })),
    ),
    ...parts.flatMap(({ terraform, pulumi }) =>
      [...terraform, ...pulumi].map((foreign) => ({ foreign, provider, part: true })),
    ),
  ]);
}
