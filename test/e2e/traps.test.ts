import { createSandbox } from "./lib/sandbox.ts";
import { expect, test } from "vitest";

/** A plugin of upstream's kind: none of our services, 4 MiB of request, everything in memory forgotten between commands. */
const upstream = { provider: "upstreamlike" };

test("a resource without an action of its own gives its recorded outputs to those that have one", async () => {
  const box = createSandbox();
  const first = `
  - {name: net, type: infra.test, config: {value: hello}}
`;
  box.write(first, upstream);
  expect((await box.run("apply", "-y")).code).toBe(0);
  box.write(`${first}  - {name: api, type: infra.test, config: {value: "at \${net.endpoint}"}}\n`, upstream);
  expect((await box.run("plan")).stdout).toContain("Plan: 1 to create, 1 unchanged.");
  expect((await box.run("apply", "-y")).stdout).toContain("1 created");
  const [net, api] = box.cloud.objects();
  expect(api?.inputs["value"]).toMatch(/^at .+/);
  expect(api?.inputs["value"]).toContain(net?.id ?? "");
});

test("single dollars in texts reach the plugin as they are", async () => {
  const box = createSandbox();
  box.write(
    `
  - {name: net, type: infra.test, config: {value: "pa$$word $HOME $", settings: {price: "5$"}}}
`,
    upstream,
  );
  expect((await box.run("apply", "-y")).code).toBe(0);
  expect(box.cloud.objects()).toMatchObject([{ inputs: { value: "pa$$word $HOME $", settings: { price: "5$" } } }]);
});
