import type { Json, PlanDiagnostic } from "@wfctl/plugin-sdk";

type Finding = Omit<PlanDiagnostic, "resource">;

const sizes = /^(?:nano|micro|small|medium|large|xlarge|(?:2|3|4|6|8|9|10|12|16|18|24|32|48)xlarge|metal)$/;
const databaseFamilies =
  /^(?:t2|t3|t4g|m4|m5|m5d|m6g|m6gd|m6i|m6id|m6idn|m6in|m7g|m7i|m8g|m8gd|m8i|r3|r4|r5|r5b|r5d|r6g|r6gd|r6i|r6id|r6idn|r6in|r7g|r7i|r8g|r8gd|r8i|x1|x1e|x2g|x2idn|x2iedn|x2iezn|z1d|serverless)$/;
const cacheFamilies = /^(?:t2|t3|t4g|m4|m5|m6g|m7g|m8g|r4|r5|r6g|r6gd|r7g|r8g|c7gn)$/;

/** AWS names many classes and adds to them: what is not known here is no error, but rarely meant. */
export function checkDatabaseClass(value: Json | undefined): Finding[] {
  return check(value, "db", databaseFamilies, "instance_class", "db.t4g.micro or db.r6g.large");
}

export function checkCacheNode(value: Json | undefined): Finding[] {
  return check(value, "cache", cacheFamilies, "node_type", "cache.t4g.micro or cache.r7g.large");
}

function check(value: Json | undefined, prefix: string, families: RegExp, field: string, examples: string): Finding[] {
  if (typeof value !== "string" || value.includes("${")) return [];
  const [kind, family = "", size = ""] = value.split(".");
  const isKnown = kind === prefix && families.test(family) && (family === "serverless" || sizes.test(size));
  if (isKnown) return [];
  return [{ severity: "warning", field, message: `"${value}" is no known class: expected one such as ${examples}` }];
}
