import type { Json } from "@wfctl/model";
import type { DriftChange, DriftEntry } from "../../session/find-drift.ts";
import { count, printable, showValue } from "./text.ts";

/** Resources that drifted, each with the three sides of every value. */
export function renderDrift(
  entries: readonly DriftEntry[],
  options: { readonly next: boolean } = { next: true },
): string {
  const blocks = entries.filter((entry) => entry.class !== "in-sync").map(renderEntry);
  const counts = { inSync: 0, drifted: 0, unknown: 0 };
  for (const entry of entries) {
    if (entry.class === "in-sync") counts.inSync += 1;
    else if (entry.class === "unknown") counts.unknown += 1;
    else counts.drifted += 1;
  }
  const text = [
    counts.drifted === 0 ? "No drift" : `${count(counts.drifted, "resource has", "resources have")} drifted`,
    `${counts.inSync} in sync`,
    ...(counts.unknown === 0 ? [] : [`${counts.unknown} could not be compared`]),
  ].join(", ");
  const next =
    counts.drifted === 0 || !options.next
      ? ""
      : "\nNext: wfctl apply --refresh brings the cloud back in line with the stack file.";
  return `${[...blocks, `${text}.${next}`].join("\n\n")}\n`;
}

function renderEntry({ name, type, class: kind, changes, why }: DriftEntry): string {
  const head = `  ${printable(name)} (${printable(type)})`;
  if (kind === "ghost") return `${head}\n      is gone from the cloud`;
  if (kind === "unknown") return `${head}\n      could not be compared: ${printable(why ?? "no answer")}`;
  return [head, ...changes.map(renderChange)].join("\n");
}

function renderChange(change: DriftChange): string {
  const path = `      ${printable(change.path)}:`;
  if (change.sensitive === true) return `${path} another value (sensitive)`;
  const side = (what: string, value: Json | undefined): string[] => [
    `${what} ${value === undefined ? "nothing" : showValue(value)}`,
  ];
  const sides = [
    ...(change.path.startsWith("outputs.") ? [] : side("wanted", change.desired)),
    ...side("recorded", change.recorded),
    ...side("actual", change.actual),
  ];
  return `${path} ${sides.join(", ")}`;
}
