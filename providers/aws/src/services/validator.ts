import type { Json, JsonObject, PlanDiagnostic } from "@wfctl/plugin-sdk";
import { overlapCidrs, parseCidr } from "../cidr.ts";
import { checkDatabaseClass, checkCacheNode } from "./instance-classes.ts";
import type { Plan } from "./types.ts";

/** One planned resource, with its configuration as far as it is known. */
interface Planned {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
}

type Finding = Omit<PlanDiagnostic, "resource">;

/** What the schemas cannot see: mistakes between resources, and things that AWS will refuse or people regret. */
export function validatePlan(plan: Plan): PlanDiagnostic[] {
  const planned = plan.actions.flatMap(({ action, resource }): Planned[] => {
    if (resource === undefined || action === "delete") return [];
    const text = Buffer.from(resource.configJson).toString("utf8");
    const config = text === "" ? {} : (JSON.parse(text) as JsonObject);
    return [{ name: resource.name, type: resource.type, config }];
  });
  const byName = new Map(planned.map((each) => [each.name, each]));
  return planned.flatMap((each) =>
    [...(checks[each.type]?.(each, byName) ?? []), ...sameRanges(each, planned), ...sameBuckets(each, planned)].map(
      (finding) => ({ resource: each.name, ...finding }),
    ),
  );
}

type Check = (planned: Planned, others: ReadonlyMap<string, Planned>) => Finding[];

const checks: Readonly<Record<string, Check>> = {
  "infra.database": ({ config }, others) => [
    ...checkZones(config["subnet_ids"], others, "a database"),
    ...checkDatabaseClass(config["instance_class"]),
  ],
  "infra.cache": ({ config }, others) => [
    ...(config["multi_az"] === true ? checkZones(config["subnet_ids"], others, "a cache in several zones") : []),
    ...checkCacheNode(config["node_type"]),
  ],
  "infra.k8s_cluster": ({ config }, others) => checkZones(config["subnet_ids"], others, "an EKS cluster"),
  "infra.load_balancer": ({ config }, others) =>
    config["type"] === "network" ? [] : checkZones(config["subnet_ids"], others, "an application load balancer"),
  "infra.firewall": ({ config }) => checkOpenRules(config["ingress_rules"]),
  "infra.container_service": ({ config }, others) => checkWayOut(config, others),
  "infra.storage": ({ config }) => checkPublicPolicy(config),
};

/** The VPC of the plan that a value refers to, and which of its subnets. */
function subnetsOf(
  value: Json | undefined,
  others: ReadonlyMap<string, Planned>,
): { vpc: Planned; subnets: { name: string; zone: string | undefined; public: boolean }[] } | undefined {
  if (typeof value !== "string") return undefined;
  const [, name = "", key = ""] = /^\$\{([^.}]+)\.(\w+)\}$/.exec(value) ?? [];
  const vpc = others.get(name);
  if (vpc?.type !== "infra.vpc") return undefined;
  const all = Object.entries((vpc.config["subnets"] ?? {}) as Record<string, JsonObject>).map(([subnet, config]) => ({
    name: subnet,
    zone: typeof config["zone"] === "string" ? config["zone"].slice(-1) : undefined,
    public: config["public"] === true,
  }));
  if (key === "public_subnet_ids") return { vpc, subnets: all.filter((each) => each.public) };
  return key === "private_subnet_ids" ? { vpc, subnets: all.filter((each) => !each.public) } : undefined;
}

function checkZones(value: Json | undefined, others: ReadonlyMap<string, Planned>, what: string): Finding[] {
  const found = subnetsOf(value, others);
  if (found === undefined) return [];
  const { vpc, subnets } = found;
  const zones = new Set(subnets.map(({ zone }) => zone));
  // Subnets that name no zone are spread over the zones.
  if (subnets.length >= 2 && (zones.has(undefined) || zones.size >= 2)) return [];
  const where = subnets.map(({ name, zone }) => `${name} in ${zone ?? "any zone"}`).join(", ") || "none";
  return [
    {
      severity: "error",
      field: "subnet_ids",
      message: `${what} needs subnets in two zones, and VPC "${vpc.name}" has ${where}`,
    },
  ];
}

/** Ports that no one opens to the world on purpose. */
const delicatePorts: Readonly<Record<number, string>> = {
  22: "SSH",
  3306: "MySQL",
  3389: "Remote Desktop",
  5432: "PostgreSQL",
  6379: "Redis",
};

function checkOpenRules(value: Json | undefined): Finding[] {
  if (!Array.isArray(value)) return [];
  return (value as JsonObject[]).flatMap((rule, index): Finding[] => {
    const field = `ingress_rules.${index}`;
    const cidrs = [rule["cidr"], ...((rule["cidrs"] ?? []) as Json[])].filter((each) => each !== undefined);
    const namesNoSource = cidrs.length === 0 && rule["group"] === undefined && rule["prefix_list"] === undefined;
    if (namesNoSource) {
      return [
        {
          severity: "warning",
          field,
          message: "names no source and so is open to the whole internet: set cidr or group",
        },
      ];
    }
    if (!cidrs.some((each) => each === "0.0.0.0/0" || each === "::/0")) return [];
    const from = Number(rule["port"] ?? rule["from_port"] ?? 0);
    const to = Number(rule["port"] ?? rule["to_port"] ?? from);
    const all = rule["protocol"] === "all" || rule["protocol"] === "-1";
    const names = Object.entries(delicatePorts).filter(([port]) => all || (Number(port) >= from && Number(port) <= to));
    if (names.length === 0) return [];
    const what = names.map(([, name]) => name).join(", ");
    return [{ severity: "warning", field, message: `opens ${what} to the whole internet` }];
  });
}

/** A task that reaches neither the internet nor an endpoint cannot pull its image. */
function checkWayOut(config: JsonObject, others: ReadonlyMap<string, Planned>): Finding[] {
  const found = subnetsOf(config["subnet_ids"], others);
  if (found === undefined || found.subnets.some((each) => each.public)) return [];
  const nat = found.vpc.config["nat_gateways"] ?? "none";
  if (nat !== "none") return [];
  return [
    {
      severity: "warning",
      field: "subnet_ids",
      message: `tasks in the private subnets of "${found.vpc.name}" cannot pull an image from the internet: set nat_gateways there, or use the public subnets`,
    },
  ];
}

function checkPublicPolicy(config: JsonObject): Finding[] {
  const { policy, public_access_block: block = true } = config;
  const text = typeof policy === "string" ? policy : JSON.stringify(policy ?? "");
  const isPublic = /"Principal":\s*(?:"\*"|\{\s*"AWS":\s*"\*"\s*\})/.test(text) && !text.includes('"Condition"');
  const blocks =
    block === true || (typeof block === "object" && (block as JsonObject)["block_public_policy"] !== false);
  if (!isPublic || !blocks) return [];
  return [
    {
      severity: "error",
      field: "policy",
      message:
        "is public, which public_access_block refuses: set block_public_policy and restrict_public_buckets to false there",
    },
  ];
}

/** VPCs of one region that overlap can never be connected. */
function sameRanges(each: Planned, all: readonly Planned[]): Finding[] {
  if (each.type !== "infra.vpc") return [];
  const rangeOf = ({ config }: Planned) =>
    parseCidr(typeof config["cidr"] === "string" ? config["cidr"] : "10.0.0.0/16");
  const own = rangeOf(each);
  const others = all.slice(all.indexOf(each) + 1).filter((other) => {
    const range = other.type === "infra.vpc" ? rangeOf(other) : undefined;
    return own !== undefined && range !== undefined && overlapCidrs(own, range);
  });
  return others.map((other) => ({
    severity: "warning",
    field: "cidr",
    message: `overlaps VPC "${other.name}": the two can never be peered`,
  }));
}

function sameBuckets(each: Planned, all: readonly Planned[]): Finding[] {
  if (each.type !== "infra.storage") return [];
  const nameOf = ({ name, config }: Planned) => config["bucket"] ?? name;
  const other = all
    .slice(all.indexOf(each) + 1)
    .find((one) => one.type === "infra.storage" && nameOf(one) === nameOf(each));
  if (other === undefined) return [];
  return [{ severity: "error", field: "bucket", message: `is the bucket of "${other.name}" as well` }];
}
