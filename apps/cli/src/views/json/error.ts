import { errorCodes, type JsonObject, type WfctlError } from "@wfctl/model";
import { advice } from "../advice.ts";
import { diagnosticToJson } from "./plan.ts";

/** `wfctl/error/1`. */
export function errorToJson(error: WfctlError): JsonObject {
  return {
    schema: "wfctl/error/1",
    code: error.code,
    meaning: errorCodes[error.code],
    message: error.message,
    next: error.hint ?? advice[error.code],
    ...(error.address === undefined ? {} : { address: error.address }),
    ...(error.diagnostics.length === 0 ? {} : { diagnostics: error.diagnostics.map(diagnosticToJson) }),
  };
}
