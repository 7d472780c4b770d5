import type { FlagSpec } from "./command-spec.ts";

/** In a file of its own: what starts most often needs no other flag. */
export const jsonFlag: FlagSpec = { name: "json", text: "print JSON for programs" };
