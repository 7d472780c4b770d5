import { chmod } from "node:fs/promises";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import { checkPlace, contentForm, isForeign, removeFile, writeFile, type FileInput } from "./contents.ts";
import { writeMarker, type Marker } from "./marker.ts";

export interface WantedContents {
  readonly mode: string;
  readonly files: Readonly<Record<string, FileInput>>;
  readonly force_destroy: boolean;
}

/**
 * Brings the directory to what is wanted. The marker names every file before it is written and until it is removed, so
 * that a kill leaves no file of unknown origin.
 */
export async function sync(path: string, marker: Marker, wanted: WantedContents): Promise<void> {
  for (const [name, file] of Object.entries(wanted.files)) {
    await checkPlace(path, name);
    if (name in marker.files || wanted.force_destroy || !(await isForeign(path, name, file))) continue;
    throw new ProviderFailure(
      "validation",
      `Cannot write file "${name}" in "${path}": a file of that name is there with other content, and wfctl did not write it; move it away, or set force_destroy: true`,
    );
  }
  const files = Object.fromEntries(Object.entries(wanted.files).map(([name, file]) => [name, contentForm(file)]));
  const mode = Number.parseInt(wanted.mode, 8);
  // The wanted permissions may shut even its owner out.
  await chmod(path, mode | 0o700);
  const next = { ...marker, forceDestroy: wanted.force_destroy };
  await writeMarker(path, { ...next, files: { ...marker.files, ...files } });
  for (const [name, file] of Object.entries(wanted.files)) await writeFile(path, name, file);
  for (const name of Object.keys(marker.files)) if (!(name in files)) await removeFile(path, name);
  await writeMarker(path, { ...next, files });
  await chmod(path, mode);
}

/** The refusal of a delete that would take files that are not ours. */
export function foreignFiles(path: string, foreign: readonly string[]): ProviderFailure {
  const shown = foreign.slice(0, 3).map((name) => `"${name}"`);
  const more = foreign.length > shown.length ? ` and ${foreign.length - shown.length} more` : "";
  return new ProviderFailure(
    "validation",
    `Cannot delete directory "${path}": it holds files that wfctl did not write (${shown.join(", ")}${more}); move them away, or set force_destroy: true and apply`,
  );
}
