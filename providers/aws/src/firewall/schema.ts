import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";
import { ruleList } from "./rules.ts";

const text = /^[\w .:/()#,@[\]+=&;{}!$*-]{0,255}$/;

export const firewallInput = z.strictObject({
  group_name: z
    .string()
    .min(1)
    .regex(text)
    .refine((name) => !name.startsWith("sg-"), { error: 'must not begin with "sg-"' })
    .optional()
    .describe("Default: the resource's name"),
  description: z.string().regex(text, { error: "holds a character that EC2 does not take" }).optional(),
  vpc_id: nativeId("vpc-0123").optional().describe("Default: the region's default VPC"),
  region: regionInput,
  endpoint: endpointInput,
  ingress_rules: ruleList.optional().describe("What may come in, and nothing else"),
  egress_rules: ruleList.optional().describe("What may go out, and nothing else. Default: everything"),
  tags: tagMap.default({}),
});
export type FirewallInput = z.output<typeof firewallInput>;

export const firewallOutputs = z.object({
  group_id: z.string(),
  vpc_id: z.string(),
  arn: z.string(),
  group_name: z.string(),
  description: z.string(),
  region: z.string(),
  referenced_groups: z.record(z.string(), z.string()).describe("Id of each group that a rule names, by name"),
  tags_all: z.record(z.string(), z.string()),
});
export type FirewallOutputs = z.output<typeof firewallOutputs>;

/** Directions that are left alone while the configuration does not name them. */
export const optionalFirewallKeys = ["ingress_rules", "egress_rules"] as const;
