import { alreadyExists, notFound, type JsonObject } from "@wfctl/plugin-sdk";
import { api, collect } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import {
  awaitBalancer,
  bodyOf,
  describeBalancer,
  locateBalancer,
  settleRules,
  type Balancer,
} from "../load-balancer/balancers.ts";
import { balancerInput, balancerOutputs, type BalancerInput, type BalancerOutputs } from "../load-balancer/schema.ts";
import { takenMessage } from "../naming.ts";
import { hostSizes, sizing } from "../sizing.ts";
import { awaitThat } from "../waiting.ts";
import { readScopes, scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

/** A load balancer. There are no tags on it: `droplet_tag` chooses its targets. */
export const loadBalancer = defineDoResource<BalancerInput, BalancerOutputs>({
  type: "infra.load_balancer",
  description: "Load balancer",
  input: balancerInput,
  outputs: balancerOutputs,
  forceNew: ["region", "type", "network", "vpc_uuid"],
  unordered: [
    "forwarding_rules",
    "droplet_ids",
    "domains",
    "target_load_balancer_ids",
    "firewall.allow",
    "firewall.deny",
  ],
  resetWhenUnset: ["droplet_tag"],
  onlyAtCreation: ["project_id"],
  permissions: [...scopes("load_balancer"), ...readScopes("certificate")],
  timeouts: { create: 1_200_000, update: 1_200_000, delete: 600_000 },

  async create({ name: resource, input }, context) {
    const name = input.name ?? resource;
    if ((await locateBalancer({ id: "", name }, context)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "Load balancer", name }));
    const { load_balancer: made } = await api(context).post<{ load_balancer: Balancer }>(
      "load_balancers",
      await bodyOf(context, name, input),
    );
    context.partial(made.id);
    return { ...(await describeBalancer(context, await awaitBalancer(context, made.id))), created: true };
  },

  async read(ref, context) {
    const found = await locateBalancer(ref, context);
    return found === undefined ? notFound() : describeBalancer(context, found);
  },

  async update(ref, { input }, context) {
    const found = await locateBalancer(ref, context);
    if (found === undefined) return notFound();
    await api(context).put(`load_balancers/${found.id}`, await bodyOf(context, input.name ?? found.name, input, found));
    return describeBalancer(context, await awaitBalancer(context, found.id));
  },

  async delete(ref, context) {
    const found = await locateBalancer(ref, context);
    if (found === undefined) return notFound();
    await orAbsent(api(context).delete(`load_balancers/${found.id}`));
    await awaitThat(context, `load balancer ${found.name} to be gone`, async () =>
      (await locateBalancer({ id: found.id, name: "" }, context)) === undefined ? true : undefined,
    );
    return undefined;
  },

  async import(id, context) {
    const found = await locateBalancer({ id, name: "" }, context);
    return found === undefined ? notFound() : describeBalancer(context, found);
  },

  async *list(context) {
    for (const each of await collect(api(context).list<Balancer>("load_balancers", "load_balancers")))
      yield describeBalancer(context, each);
  },

  diff({ input }, { outputs }, standard) {
    const live = outputs["forwarding_rules"] as unknown as BalancerInput["forwarding_rules"] | undefined;
    if (live === undefined) return standard;
    // A certificate may be named by its name, which outlives its id.
    const certificates = (outputs["certificates"] ?? {}) as JsonObject as Record<string, string>;
    const isSame = settleRules(input.forwarding_rules, certificates) === settleRules(live, certificates);
    return { changes: standard.changes.filter(({ path }) => path !== "forwarding_rules" || !isSame) };
  },

  sizing: sizing(hostSizes.balancer),
});
