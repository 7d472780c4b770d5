import { z } from "@wfctl/plugin-sdk";
import { defineDoResource } from "./define.ts";

/** What other clouds' roles have and DigitalOcean has not: accepted, so that one file serves all. */
const input = z.looseObject({});
const outputs = z.object({ name: z.string(), note: z.string() });

/** A declaration: DigitalOcean has no roles. Nothing is made, nothing is called, and nothing of the input is echoed. */
export const iamRole = defineDoResource<z.output<typeof input>, z.output<typeof outputs>>({
  type: "infra.iam_role",
  description: "Declaration only: DigitalOcean has no roles",
  input,
  outputs,
  createFirst: true,
  convergentCreate: true,
  settleMs: 1,
  async create({ name }) {
    return { ...describe(name), created: true };
  },
  async read({ id, name }) {
    return describe(id === "" ? name : id);
  },
  async update({ id }) {
    return describe(id);
  },
  async delete() {},
  async lookup({ name }) {
    return describe(name);
  },
  diff: () => ({ changes: [] }),
});

function describe(name: string) {
  return {
    id: name,
    name,
    outputs: { name, note: "DigitalOcean has no roles: access is by API tokens and their scopes" },
  };
}
