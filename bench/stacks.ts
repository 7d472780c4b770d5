import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const shapes = ["flat", "tree", "chain", "fan-in"] as const;
export type Shape = (typeof shapes)[number];

/** Indexes of the resources that resource `index` refers to. A tree has ten children to a node; a fan-in ends in one that refers to a hundred. */
export function parentsOf(shape: Shape, index: number, size: number): number[] {
  switch (shape) {
    case "flat":
      return [];
    case "tree":
      return index === 0 ? [] : [Math.floor((index - 1) / 10)];
    case "chain":
      return index === 0 ? [] : [index - 1];
    case "fan-in":
      return index === size - 1 ? Array.from({ length: Math.min(100, size - 1) }, (_, parent) => parent) : [];
  }
}

/** Value of the one resource that a "one change" run changes: a leaf, so that one action is what it takes. */
function valueOf(index: number, size: number, changed: boolean): string {
  return changed && index === size - 1 ? `value ${index} changed` : `value ${index}`;
}

/** A stack for wfctl, through the test plugin: each resource echoes its value and refers to its parents' outputs. */
export function writeWfctlStack(directory: string, shape: Shape, size: number, changed: boolean): void {
  mkdirSync(directory, { recursive: true });
  const lines = [
    "name: bench",
    "modules:",
    "  - name: cloud",
    "    type: iac.provider",
    "    config: {provider: cloud}",
  ];
  for (let index = 0; index < size; index += 1) {
    lines.push(
      `  - name: r${index}`,
      "    type: infra.test",
      "    config:",
      `      value: "${valueOf(index, size, changed)}"`,
    );
    const parents = parentsOf(shape, index, size);
    if (parents.length > 0) lines.push(`      parents: [${parents.map((parent) => `"\${r${parent}.id}"`).join(", ")}]`);
  }
  writeFileSync(join(directory, "infra.yaml"), `${lines.join("\n")}\n`);
}

/** The same stack for Terraform and OpenTofu, with their built-in resource. */
export function writeTerraformStack(directory: string, shape: Shape, size: number, changed: boolean): void {
  mkdirSync(directory, { recursive: true });
  const blocks: string[] = [];
  for (let index = 0; index < size; index += 1) {
    const parents = parentsOf(shape, index, size).map((parent) => `terraform_data.r${parent}.id`);
    blocks.push(
      `resource "terraform_data" "r${index}" {\n  input = { value = "${valueOf(index, size, changed)}", parents = [${parents.join(", ")}] }\n}`,
    );
  }
  writeFileSync(join(directory, "main.tf"), `${blocks.join("\n")}\n`);
}
