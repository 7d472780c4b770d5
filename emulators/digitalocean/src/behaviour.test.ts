import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { begin } from "./testdata/client.ts";

const droplet = (name: string) => ({
  name,
  region: "nyc3",
  size: "s-1vcpu-1gb",
  image: "ubuntu-24-04-x64",
  tags: ["t"],
});

test("without a token, and with one that is not known, the answer is 401", async () => {
  const { call, emulator } = await begin({ tokens: ["good"] });
  expect((await fetch(`${emulator.url}/v2/vpcs`)).status).toBe(401);
  expect((await call("GET", "vpcs", undefined, "bad")).body).toMatchObject({ id: "unauthorized" });
  expect((await call("GET", "vpcs", undefined, "good")).status).toBe(200);
});

test("each token is an account of its own", async () => {
  const { call } = await begin();
  await call("POST", "vpcs", { name: "net", region: "nyc3" }, "one");
  expect((await call("GET", "vpcs", undefined, "two")).body.vpcs).toEqual([]);
  const [one, two] = await Promise.all([
    call("GET", "account", undefined, "one"),
    call("GET", "account", undefined, "two"),
  ]);
  expect(one.body.account.uuid).not.toBe(two.body.account.uuid);
});

test("lists come in pages that lead to each other", async () => {
  const { call, emulator } = await begin();
  for (let index = 0; index < 45; index += 1) await call("POST", "tags", { name: `tag-${index}` });
  const names: string[] = [];
  let next: string | undefined = "tags?per_page=20";
  let pages = 0;
  while (next !== undefined) {
    const { body } = await call("GET", next);
    names.push(...body.tags.map(({ name }: { name: string }) => name));
    expect(body.meta.total).toBe(45);
    next = body.links.pages?.next;
    pages += 1;
  }
  expect([pages, new Set(names).size]).toEqual([3, 45]);
  expect((await call("GET", "tags?per_page=0")).status).toBe(422);
  expect(emulator.defects()).toEqual([]);
});

test("the rate limit shows in headers, and is a 429 with Retry-After when it is used up", async () => {
  const { call, emulator } = await begin();
  emulator.limits.limit = 2;
  const first = await call("GET", "regions");
  expect([first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual(["2", "1"]);
  await call("GET", "regions");
  const refused = await call("GET", "regions");
  expect([refused.status, refused.body.id]).toEqual([429, "too_many_requests"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("eventual consistency hides what is fresh and shows what is gone, as long as the lag lasts", async () => {
  const { call, emulator } = await begin();
  emulator.lag.lagMs = 5000;
  const { body } = await call("POST", "vpcs", { name: "net", region: "nyc3" });
  expect((await call("GET", `vpcs/${body.vpc.id}`)).status).toBe(404);
  expect((await call("POST", "vpcs", { name: "net", region: "nyc3" })).status).toBe(409);
  emulator.clock.advance(5000);
  expect((await call("GET", `vpcs/${body.vpc.id}`)).status).toBe(200);
  await call("DELETE", `vpcs/${body.vpc.id}`);
  expect((await call("GET", `vpcs/${body.vpc.id}`)).status).toBe(200);
  emulator.clock.advance(5000);
  expect((await call("GET", `vpcs/${body.vpc.id}`)).status).toBe(404);
});

test("a lost reply has its effect, a dropped request has none, a status fault has none", async () => {
  const { call, emulator } = await begin();
  const names = async (): Promise<string[]> =>
    (await call("GET", "droplets")).body.droplets.map(({ name }: { name: string }) => name);
  emulator.faults.add({ operation: "droplets_create", effect: "lose_reply" });
  await expect(call("POST", "droplets", droplet("a"))).rejects.toThrow("fetch failed");
  expect(await names()).toEqual(["a"]);
  emulator.faults.add({ method: "POST", path: "^/v2/droplets$", effect: "drop" });
  await expect(call("POST", "droplets", droplet("b"))).rejects.toThrow("fetch failed");
  emulator.faults.add({
    operation: "droplets_create",
    effect: "status",
    status: 503,
    body: { id: "server_error", message: "Sorry" },
    skip: 1,
    times: 2,
  });
  expect((await call("POST", "droplets", droplet("c"))).status).toBe(202);
  expect((await call("POST", "droplets", droplet("d"))).status).toBe(503);
  expect((await call("POST", "droplets", droplet("d"))).status).toBe(503);
  expect((await call("POST", "droplets", droplet("e"))).status).toBe(202);
  expect(await names()).toEqual(["a", "c", "e"]);
});

test("members that the description does not know are recorded as defects of the client", async () => {
  const { call, emulator } = await begin();
  await call("POST", "vpcs", { name: "net", region: "nyc3", cidr: "10.0.0.0/16" });
  expect(emulator.defects()).toEqual(['POST /v2/vpcs: request: "cidr" is unknown to the description']);
});

test("another process works the switches and looks into the state over HTTP", async () => {
  const { call, emulator } = await begin();
  await call("POST", "droplets", droplet("a"));
  await call("POST", "/_emulator/clock", { advance_ms: 60_000 });
  const state = await call("GET", "/_emulator/state");
  expect(state.body["token-a"].droplets[0]).toMatchObject({ name: "a", status: "active" });
  await call("POST", "/_emulator/settings", { rate_limit: 1, lag_ms: 7 });
  expect([emulator.limits.limit, emulator.lag.lagMs]).toEqual([1, 7]);
  expect((await call("POST", "/_emulator/faults", { effect: "explode" })).status).toBe(422);
  await call("POST", "/_emulator/faults", { effect: "drop", path: "x" });
  expect((await call("GET", "/_emulator/faults")).body).toEqual([{ effect: "drop", path: "x" }]);
  const exchanges = (await call("GET", "/_emulator/exchanges")).body;
  expect(exchanges.map(({ operation }: { operation: string }) => operation)).toEqual(["droplets_create"]);
  await call("DELETE", "/_emulator/state");
  expect((await call("GET", "/_emulator/state")).body).toEqual({});
  expect((await call("GET", "/_emulator/nothing")).status).toBe(404);
});

test("every exchange is a line of the log file, without the token", async () => {
  const folder = mkdtempSync(join(tmpdir(), "do-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const logFile = join(folder, "exchanges.jsonl");
  const { call } = await begin({ logFile });
  await call("POST", "vpcs", { name: "net", region: "nyc3" });
  await call("POST", "vpcs", "{nonsense");
  const text = readFileSync(logFile, "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ method, path, operation, status }) => [method, path, operation, status])).toEqual([
    ["POST", "/v2/vpcs", "vpcs_create", 201],
    ["POST", "/v2/vpcs", "vpcs_create", 400],
  ]);
  expect(lines[0]).toMatchObject({ request: { name: "net" }, response: { vpc: { name: "net" } } });
  expect(text).not.toContain("Bearer");
});

test("a network with members, a certificate in use and an attached volume are not deleted", async () => {
  const { call, emulator } = await begin();
  const { vpc } = (await call("POST", "vpcs", { name: "net", region: "nyc3" })).body;
  const { volume } = (await call("POST", "volumes", { name: "v", region: "nyc3", size_gigabytes: 1 })).body;
  const made = (await call("POST", "droplets", { ...droplet("a"), vpc_uuid: vpc.id, volumes: [volume.id] })).body;
  expect((await call("DELETE", `vpcs/${vpc.id}`)).status).toBe(403);
  expect((await call("GET", `vpcs/${vpc.id}/members`)).body.members).toHaveLength(1);
  expect((await call("DELETE", `volumes/${volume.id}`)).status).toBe(409);
  await call("DELETE", `droplets/${made.droplet.id}`);
  expect((await call("DELETE", `volumes/${volume.id}`)).status).toBe(204);
  expect((await call("DELETE", `vpcs/${vpc.id}`)).status).toBe(204);
  expect(emulator.defects()).toEqual([]);
});

test("actions end by the clock, and a running droplet is not resized", async () => {
  const { call, emulator } = await begin();
  const { id } = (await call("POST", "droplets", droplet("a"))).body.droplet;
  emulator.clock.advance(60_000);
  const resize = { type: "resize", size: "s-2vcpu-4gb", disk: true };
  expect((await call("POST", `droplets/${id}/actions`, resize)).status).toBe(422);
  const { action } = (await call("POST", `droplets/${id}/actions`, { type: "power_off" })).body;
  expect((await call("POST", `droplets/${id}/actions`, resize)).body.message).toContain("pending event");
  expect((await call("GET", `actions/${action.id}`)).body.action.status).toBe("in-progress");
  emulator.clock.advance(60_000);
  expect((await call("GET", `actions/${action.id}`)).body.action.status).toBe("completed");
  await call("POST", `droplets/${id}/actions`, resize);
  emulator.clock.advance(60_000);
  expect((await call("GET", `droplets/${id}`)).body.droplet).toMatchObject({
    size_slug: "s-2vcpu-4gb",
    disk: 80,
    status: "off",
  });
  expect(emulator.defects()).toEqual([]);
});

test("tags find what carries them, databases by their own list", async () => {
  const { call, emulator } = await begin();
  const { id } = (await call("POST", "droplets", droplet("a"))).body.droplet;
  await call("POST", "databases", {
    name: "db",
    engine: "pg",
    region: "nyc3",
    size: "db-s-1vcpu-1gb",
    num_nodes: 1,
    tags: ["t"],
  });
  expect((await call("GET", "droplets?tag_name=t")).body.droplets).toHaveLength(1);
  expect((await call("GET", "databases?tag_name=t")).body.databases).toHaveLength(1);
  await call("DELETE", "tags/t/resources", { resources: [{ resource_id: String(id), resource_type: "droplet" }] });
  expect((await call("GET", "droplets?tag_name=t")).body.droplets).toEqual([]);
  expect((await call("GET", "tags/t")).body.tag.resources.count).toBe(1);
  expect(emulator.defects()).toEqual([]);
});

test("a second registry needs the professional tier, and the old paths refuse to choose between two", async () => {
  const { call, emulator } = await begin();
  expect((await call("POST", "registries", { name: "one", subscription_tier_slug: "basic" })).status).toBe(201);
  expect((await call("POST", "registries", { name: "two", subscription_tier_slug: "basic" })).status).toBe(409);
  expect((await call("POST", "registries", { name: "two", subscription_tier_slug: "professional" })).status).toBe(201);
  expect((await call("DELETE", "registry")).status).toBe(412);
  expect((await call("DELETE", "registries/two")).status).toBe(204);
  expect((await call("GET", "registry")).body.registry.name).toBe("one");
  expect(emulator.defects()).toEqual([]);
});

test("an app's secret comes back encrypted, its routes as ingress rules, and a broken image fails the deployment", async () => {
  const { call, emulator } = await begin();
  const image = { registry_type: "DOCKER_HUB", repository: "x", tag: "1" };
  const spec = {
    name: "shop",
    services: [{ name: "web", image, envs: [{ key: "K", value: "hush", type: "SECRET" }], routes: [{ path: "/api" }] }],
  };
  const { app } = (await call("POST", "apps", { spec })).body;
  expect(app.spec.services[0].envs[0].value).toMatch(/^EV\[1:/);
  expect(JSON.stringify(app)).not.toContain("hush");
  expect(app.spec.ingress.rules[0].match.path.prefix).toBe("/api");
  const broken = { ...spec, services: [{ name: "web", image: { ...image, tag: "broken" } }] };
  emulator.clock.advance(600_000);
  await call("PUT", `apps/${app.id}`, { spec: broken });
  for (let step = 0; step < 4; step += 1) emulator.clock.advance(100_000);
  const { deployments } = (await call("GET", `apps/${app.id}/deployments`)).body;
  expect(deployments.map(({ phase }: { phase: string }) => phase)).toEqual(["ERROR", "ACTIVE"]);
  const logs = (await call("GET", `apps/${app.id}/logs?type=RUN`)).body;
  expect((await call("GET", logs.historic_urls[0])).body).toContain("run line 1");
  expect(emulator.defects()).toEqual([]);
});
