import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { recordContext } from "../../test/run-view.ts";
import type { Context } from "../context.ts";
import { confirm } from "./confirm.ts";

function terminal(): { context: Context; input: PassThrough; said: () => string } {
  const recorded = recordContext({ terminal: true });
  const input = Object.assign(new PassThrough(), { isTTY: true });
  return { context: { ...recorded.context, stdin: input as never }, input, said: recorded.stdout };
}

test.each([
  ["yes\n", true],
  ["y\n", false],
  ["YES\n", true],
  ["\n", false],
  ["no\n", false],
  ["yes please\n", false],
])("%j is %s", async (answer, expected) => {
  const { context, input, said } = terminal();
  const asked = confirm("Apply?", context, new AbortController().signal);
  input.write(answer);
  expect(await asked).toBe(expected);
  expect(said()).toContain('Apply? Only "yes" goes on: ');
});

test("the end of input is a no", async () => {
  const { context, input } = terminal();
  const asked = confirm("Apply?", context, new AbortController().signal);
  input.end();
  expect(await asked).toBe(false);
});

test("without a terminal there is no one to ask", async () => {
  const { context } = recordContext();
  await expect(confirm("Apply?", context, new AbortController().signal)).rejects.toMatchObject({
    code: "CONFIRMATION_REQUIRED",
  });
});

test("an interrupt ends the question", async () => {
  const { context } = terminal();
  const interrupt = new AbortController();
  const asked = confirm("Apply?", context, interrupt.signal);
  interrupt.abort(new Error("interrupted"));
  await expect(asked).rejects.toThrow("interrupted");
});
