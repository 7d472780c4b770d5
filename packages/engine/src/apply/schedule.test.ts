import { createTestStack, ref, wanted } from "@wfctl/testkit";
import { expect, test } from "vitest";

interface Sent {
  readonly operation: string;
  readonly name: string;
  readonly priority: number | undefined;
  /** Other priorities that the call has got while it was open. */
  readonly told: number[];
}

/** A stack whose provider keeps what calls were sent with. Those of `slow` take 5 s, others 10 ms. */
function createRankedStack() {
  const sent: Sent[] = [];
  const stack = createTestStack({
    provider: {
      types: {
        "infra.long": { typicalMs: { create: 10_000 } },
        "infra.short": { typicalMs: { create: 100 } },
        "infra.new": {},
        "infra.other": {},
      },
      latencyMs: (_, name) => (name === "slow" ? 5000 : 10),
      onCall({ operation, name, options }) {
        const told: number[] = [];
        sent.push({ operation, name, priority: options.priority, told });
        options.watchPriority?.((priority) => told.push(priority));
      },
    },
  });
  return { stack, sent };
}

const named = (sent: readonly Sent[], name: string): Sent =>
  sent.find((each) => each.operation === "create" && each.name === name) as Sent;

test("where nothing was learned the times go that the plugin says, and what nobody knows goes first", async () => {
  const { stack, sent } = createRankedStack();
  const desired = ["short", "long", "new"].map((kind) => wanted(kind, {}, { type: `infra.${kind}` }));
  await stack.apply(desired, { parallelism: 1 });
  expect(sent.filter(({ operation }) => operation === "create").map(({ name }) => name)).toEqual([
    "new",
    "long",
    "short",
  ]);
});

test("a call that is open gets the rank that it has by what was learned since", async () => {
  const { stack, sent } = createRankedStack();
  await stack.apply([
    wanted("slow", {}, { type: "infra.other" }),
    wanted("a", {}, { type: "infra.new" }),
    wanted("b", { after: ref("a", "id") }, { type: "infra.new" }),
    wanted("c", { after: ref("b", "id") }, { type: "infra.new" }),
  ]);
  const slow = named(sent, "slow");
  expect(slow.priority).toBeLessThan(named(sent, "a").priority as number);
  expect(slow.told.at(-1)).toBeGreaterThan(named(sent, "c").priority as number);
});

test("what is read before a change has the rank of the change", async () => {
  const { stack, sent } = createRankedStack();
  await stack.apply([
    wanted("a", {}, { type: "infra.new" }),
    wanted("b", { after: ref("a", "id") }, { type: "infra.new" }),
  ]);
  sent.length = 0;
  await stack.destroy();
  const read = sent.filter(({ operation, name }) => operation === "read" && name === "b").at(-1);
  const deleted = sent.find(({ operation, name }) => operation === "delete" && name === "b");
  expect(deleted?.priority).toBeGreaterThan(0);
  expect(read?.priority).toBe(deleted?.priority);
});
