import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ext, unaryCall } from "@wfctl/contract";
import { drive, type Driver, type Plugin } from "@wfctl/testkit/drive";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startPlugin } from "./testing/plugin.ts";

/** What of S3 a server does beside making, finding and deleting buckets. */
interface Habits {
  /** Parts of a bucket that it keeps, such as "tagging"; of others it says `unknown`. */
  keeps: readonly string[];
  unknown: "not implemented" | "page" | "passed over";
  /** Parts that it takes and never shows. */
  forgets?: readonly string[];
  /** Of these it drops what it is told first. */
  drops?: string[];
  /** It refuses a create call that says more than a name. */
  isNarrow?: boolean;
}

const notImplemented = error(501, "NotImplemented");
const noBucket = error(404, "NoSuchBucket");

function error(status: number, code: string): { status: number; body: string } {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>` };
}

/** A store with S3's API that knows a part of it, and nothing of the other services. */
class Store {
  readonly buckets = new Map<string, Map<string, string>>();
  habits: Habits = { keeps: ["tagging"], unknown: "not implemented" };
  /** Tags of buckets that were deleted. */
  readonly #graves = new Map<string, string | undefined>();
  readonly #server: Server = createServer((request, response) => void this.#handle(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://localhost");
    const answer = this.#answer(request.method ?? "", url, Buffer.concat(chunks).toString());
    response.writeHead(answer.status, {
      "content-type": answer.body.startsWith("<!doctype") ? "text/html" : "text/xml",
    });
    response.end(request.method === "HEAD" ? undefined : answer.body);
  }

  #answer(method: string, url: URL, body: string): { status: number; body: string } {
    const name = url.pathname.split("/")[1] ?? "";
    if (name === "") return method === "GET" ? this.#list() : error(405, "MethodNotAllowed");
    const parts = this.buckets.get(name);
    const part = [...url.searchParams.keys()].find((key) => key !== "x-id");
    if (part === undefined || (this.habits.unknown === "passed over" && !this.habits.keeps.includes(part))) {
      if (method === "PUT" && parts !== undefined) return error(409, "BucketAlreadyExists");
      if (method === "PUT" && this.habits.isNarrow === true && body !== "") return error(400, "MalformedXML");
      if (method === "PUT") {
        const tags = this.#graves.get(name);
        this.buckets.set(name, new Map(tags === undefined ? [] : [["tagging", tags]]));
        return { status: 200, body: "" };
      }
      if (parts === undefined) return noBucket;
      if (method === "DELETE") {
        this.buckets.delete(name);
        this.#graves.set(name, parts.get("tagging"));
        return { status: 204, body: "" };
      }
      return { status: 200, body: `<ListBucketResult><Name>${name}</Name></ListBucketResult>` };
    }
    if (parts === undefined) return noBucket;
    if (!this.habits.keeps.includes(part)) {
      const page = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>";
      return this.habits.unknown === "page" ? { status: 404, body: page } : notImplemented;
    }
    if (method === "PUT") {
      const { drops = [], forgets = [] } = this.habits;
      const isDropped = drops.includes(part);
      if (isDropped) this.habits.drops = drops.filter((each) => each !== part);
      if (!isDropped && !forgets.includes(part)) parts.set(part, body);
      return { status: 200, body: "" };
    }
    if (method === "DELETE") return (parts.delete(part), { status: 204, body: "" });
    const kept = parts.get(part);
    if (kept !== undefined) return { status: 200, body: kept };
    return error(404, part === "tagging" ? "NoSuchTagSet" : "NoSuchCORSConfiguration");
  }

  #list(): { status: number; body: string } {
    const each = [...this.buckets.keys()].map((name) => `<Bucket><Name>${name}</Name></Bucket>`);
    return {
      status: 200,
      body: `<ListAllMyBucketsResult><Buckets>${each.join("")}</Buckets></ListAllMyBucketsResult>`,
    };
  }
}

const credentials = { access_key_id: "AKIASTANDINSTANDINST", secret_access_key: "none+of/these" };

describe("a store that knows a part of S3, and no other service", () => {
  let store: Store;
  let url: string;
  let plugin: Plugin;
  const storage: Driver = drive(() => plugin, "infra.storage");
  const start = async (habits: Habits): Promise<void> => {
    store.habits = habits;
    plugin = await startPlugin({ region: "us-east-1", ...credentials, endpoint: url });
  };
  beforeEach(async () => {
    store = new Store();
    url = await store.start();
  });
  afterEach(async () => {
    await plugin?.kill();
    await store.stop();
  });
  afterAll(() => store?.stop().catch(() => {}));

  const cases: readonly [string, Habits][] = [
    ["that refuses what it does not know", { keeps: ["tagging", "cors"], unknown: "not implemented" }],
    ["that answers with a page", { keeps: ["tagging", "cors"], unknown: "page" }],
    ["that takes names alone", { keeps: ["tagging", "cors"], unknown: "not implemented", isNarrow: true }],
    ["without tags", { keeps: ["cors"], unknown: "not implemented" }],
    ["that passes over what it does not know", { keeps: ["cors"], unknown: "passed over" }],
  ];
  const rules = [{ allowed_methods: ["GET"], allowed_origins: ["https://example.com"] }];

  test.each(cases)("%s: a bucket goes through its life", async (_, habits) => {
    await start(habits);
    const made = await storage.create("plain", {}, { token: "t-plain", owner: "line/plain" });
    expect(made).toMatchObject({ providerId: "plain", created: true });
    await expectQuiet(storage, "plain", {}, "plain");
    expect(await changedPaths(storage, "plain", { cors_rules: rules }, "plain")).toEqual(["cors_rules"]);
    await storage.update("plain", "plain", { cors_rules: rules });
    await expectQuiet(storage, "plain", { cors_rules: rules }, "plain");
    await storage.update("plain", "plain", {});
    await expectQuiet(storage, "plain", {}, "plain");
    expect(await storage.list()).toMatchObject([{ providerId: "plain" }]);
    await storage.delete("plain", "plain");
    expect(await storage.read("plain", "plain")).toBeUndefined();
    await storage.delete("plain", "plain");
  });

  test("what is asked for and not offered fails by name", async () => {
    await start({ keeps: ["tagging"], unknown: "not implemented" });
    await expect(storage.create("kept", { versioning: true })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Cannot put bucket versioning "kept": no \(NotImplemented\); http:\/\/127\.0\.0\.1:\d+ may not offer s3:PutBucketVersioning: leave out/,
      ) as string,
    });
    await start({ keeps: [], unknown: "passed over" });
    await expect(storage.create("tagged", { tags: { team: "blue" } })).rejects.toMatchObject({
      message: expect.stringContaining("may not offer s3:PutBucketTagging") as string,
    });
  });

  test("what it takes and never shows is no change of every plan", async () => {
    await start({ keeps: ["tagging", "cors"], unknown: "not implemented", forgets: ["cors"] });
    const config = { cors_rules: rules };
    await storage.create("vague", config, { token: "t-vague" });
    await expectQuiet(storage, "vague", config, "vague");
    // Another process knows it as well.
    await plugin.kill();
    await start(store.habits);
    await expectQuiet(storage, "vague", config, "vague");
    const other = [{ ...rules[0]!, allowed_methods: ["PUT"] }];
    expect(await changedPaths(storage, "vague", { cors_rules: other }, "vague")).toEqual(["cors_rules"]);
    await storage.update("vague", "vague", { cors_rules: other });
    await expectQuiet(storage, "vague", { cors_rules: other }, "vague");
    expect(await changedPaths(storage, "vague", config, "vague")).toEqual(["cors_rules"]);
    // It learns: what it shows now is something else than what was accepted.
    const rule = "<CORSRule><AllowedMethod>HEAD</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>";
    store.buckets.get("vague")?.set("cors", `<CORSConfiguration>${rule}</CORSConfiguration>`);
    expect(await changedPaths(storage, "vague", { cors_rules: other }, "vague")).toEqual(["cors_rules"]);
    store.habits.forgets = [];
    await storage.update("vague", "vague", { cors_rules: other });
    expect(store.buckets.get("vague")?.get("tagging")).toContain("<Value>none</Value>");
    store.buckets.get("vague")?.delete("cors");
    expect(await changedPaths(storage, "vague", { cors_rules: other }, "vague")).toEqual(["cors_rules"]);
    await storage.delete("vague", "vague");
  });

  test("what a create drops is told again at once", async () => {
    await start({ keeps: ["tagging", "cors"], unknown: "not implemented", drops: ["cors"] });
    await storage.create("hasty", { cors_rules: rules }, { token: "t-hasty" });
    expect(store.buckets.get("hasty")?.get("cors")).toContain("example.com");
    expect(store.buckets.get("hasty")?.get("tagging")).toContain("<Value>none</Value>");
    await expectQuiet(storage, "hasty", { cors_rules: rules }, "hasty");
  });

  test("marks come where the create call drops them, and others' buckets are not taken over", async () => {
    await start({ keeps: ["tagging"], unknown: "not implemented" });
    await storage.create("marked", {}, { token: "t-marked", owner: "line/marked" });
    expect(store.buckets.get("marked")?.get("tagging")).toContain("t-marked");
    expect(await storage.lookup("marked", "t-marked")).toMatchObject({ providerId: "marked" });
    expect(await storage.getOwner("marked", "marked")).toBe("line/marked");
    // As some do, it remembers the tags of the deleted bucket.
    await storage.delete("marked", "marked");
    await storage.create("marked", {}, { token: "t-second", owner: "line/marked" });
    expect(store.buckets.get("marked")?.get("tagging")).toContain("t-second");
    store.buckets.set("foreign", new Map());
    await expect(storage.create("foreign", {}, { token: "t-foreign" })).rejects.toMatchObject({
      class: "already_exists",
    });
    expect(await storage.lookup("foreign", "t-foreign")).toBeUndefined();
  });

  test("without STS a key of twelve digits is the account, and the address tells servers apart", async () => {
    const identity = async (started: Plugin): Promise<string> =>
      (await unaryCall(started.client, ext.ProviderIdentity.method.getIdentity, {})).response.identity;
    await start({ keeps: [], unknown: "not implemented" });
    expect(await identity(plugin)).toBe(`aws:aws:000000000000:us-east-1:${url}`);
    const other = await startPlugin({
      region: "us-east-1",
      ...credentials,
      access_key_id: "123456789012",
      endpoint: url,
    });
    onTestFinished(() => other.kill());
    expect(await identity(other)).toBe(`aws:aws:123456789012:us-east-1:${url}`);
  });

  test.each(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])(
    "%s leads to it, with buckets in the path",
    async (variable) => {
      store.habits = { keeps: ["tagging"], unknown: "not implemented" };
      plugin = await startPlugin({ region: "us-east-1", ...credentials, endpoints: { sts: url } }, { [variable]: url });
      await storage.create("by-variable", {}, { token: "t" });
      expect([...store.buckets.keys()]).toEqual(["by-variable"]);
      await expectQuiet(storage, "by-variable", {}, "by-variable");
    },
  );
});
