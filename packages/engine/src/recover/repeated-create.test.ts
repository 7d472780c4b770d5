import { createTestStack, wanted, type Fault } from "@wfctl/testkit";
import { expect, test } from "vitest";

test("a create that a dead recovery sent again is waited for, even where the cloud refuses it now", async () => {
  const refused: Fault = { goes: { wrong: "refused", class: "forbidden" } };
  const stack = createTestStack({
    cloud: { lagMs: 20_000 },
    provider: { faults: (call) => (call.operation === "create" && call.nth === 2 ? refused : undefined) },
  });
  await stack.applyUntil((point) => point.at === "call" && point.operation === "create", [wanted("a")]);
  stack.clock.advance(120_000);
  await new Promise<void>((resolve) => {
    void stack.recover({ crashWhen: (point) => point.at === "effect", onDeath: resolve });
  });
  await stack.recover();
  expect([stack.cloud.objects().length, (await stack.record("a"))?.providerId]).toEqual([1, "item-1"]);
});
