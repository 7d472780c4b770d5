import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { apiReference } from "./api-reference.ts";

test("docs/provider-api.md is what the SDK declares", async () => {
  await expect(await apiReference()).toMatchFileSnapshot(
    fileURLToPath(new URL("../docs/provider-api.md", import.meta.url)),
  );
});
