import type { Json } from "@wfctl/model";
import type { Context } from "../../context.ts";
import { printable } from "../human/text.ts";

/** One result, for programs as one line of JSON with its schema, for people as text. */
export function printResult(
  context: Pick<Context, "stdout">,
  json: boolean,
  result: { readonly schema: string; readonly value: object; readonly text: string },
): void {
  const { schema, value, text } = result;
  const line = (): string => JSON.stringify({ schema, ...(value as { [key: string]: Json }) });
  context.stdout.write(json ? `${line()}\n` : text.split("\n").map(printable).join("\n"));
}
