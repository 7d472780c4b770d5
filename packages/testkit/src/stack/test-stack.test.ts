import { expect, test } from "vitest";
import { createTestStack, ref, wanted } from "../index.ts";

const chain = [
  wanted("net", { region: "eu", count: 1 }),
  wanted("db", { net: ref("net", "id"), count: 2 }),
  wanted("app", { db: ref("db", "endpoint") }),
];

for (const personality of ["ours", "upstream"] as const) {
  test(`a chain is applied, is unchanged afterwards, and is destroyed again (${personality})`, async () => {
    const stack = createTestStack({ provider: { personality } });
    const first = await stack.apply(chain);
    expect(first.end).toBe("succeeded");
    expect(stack.cloud.objects().map((object) => object.name)).toEqual(["net", "db", "app"]);
    const again = await stack.plan(chain);
    expect(again.plan.actions).toEqual([]);
    expect(again.plan.unchanged).toBe(3);
    const gone = await stack.destroy();
    expect(gone.ends).toEqual({ net: "SUCCESS", db: "SUCCESS", app: "SUCCESS" });
    expect(stack.cloud.objects()).toEqual([]);
    expect((await stack.state()).records.size).toBe(0);
  });
}
