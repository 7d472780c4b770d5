import { toPointer } from "@wfctl/emulator-core";

type Method = "get" | "post" | "put" | "patch" | "delete";

/** Where the description keeps the schema of a request's body. */
export function bodyOf(method: Method, path: string): string {
  return `${toPointer("paths", path, method, "requestBody")}/content/application~1json/schema`;
}

/** Where the description keeps the schema of an answer's body. */
export function answerOf(method: Method, path: string, status: number): string {
  return `${toPointer("paths", path, method, "responses", String(status))}/content/application~1json/schema`;
}
