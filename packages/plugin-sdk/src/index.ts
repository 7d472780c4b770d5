export {
  canonicalJson,
  isJsonObject,
  jsonEqual,
  type FieldChange,
  type Json,
  type JsonObject,
  type ResourceHints,
} from "@wfctl/model";
export { z } from "zod";
export * from "./author/clock.ts";
export * from "./author/context.ts";
export * from "./author/define-provider.ts";
export * from "./author/define-resource.ts";
export * from "./author/failure.ts";
export * from "./author/limiter.ts";
export * from "./author/log.ts";
export { stopped, waitFor, type WaitOptions } from "./author/wait-for.ts";
export { compareInputs } from "./schema/compare.ts";
export { sealValue } from "./schema/sealed.ts";
export { generateManifest } from "./manifest/generate-manifest.ts";
export type { Manifest } from "./manifest/manifest.ts";
export { serve } from "./serve.ts";
