import {
  createDigitalOceanService,
  startDigitalOcean,
  type Account,
  type Handler,
  type Json,
} from "@wfctl/emulator-digitalocean";

const token = "dop_v1_conformance";
/** Minutes of the cloud pass in a fraction of a second. */
const rate = 2000;

/**
 * An account on the emulator for the samples of conformance.json, with what they stand on: a domain, an SSH key, a Spaces
 * key, an app. What is made with the word "slow" in it never comes up, and what is written with "fails" in it is refused.
 */
export async function startConformanceEnvironment(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const service = createDigitalOceanService();
  const slowIds: string[] = [];
  const handlers = Object.fromEntries(
    Object.entries(service.handlers).map(([id, handler]) => [id, disturb(handler, slowIds)]),
  );
  const emulator = await startDigitalOcean({ service: { ...service, handlers }, rate });
  const post = async (path: string, body: object): Promise<Record<string, Record<string, string>>> => {
    const response = await fetch(`${emulator.url}/v2/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`Cannot prepare ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, Record<string, string>>;
  };
  await post("domains", { name: "example.com" });
  await post("account/keys", { name: "me", public_key: "ssh-ed25519 AAAA me" });
  const { key } = await post("spaces/keys", { name: "own", grants: [{ bucket: "", permission: "fullaccess" }] });
  await post("registries", { name: "standing", subscription_tier_slug: "professional", region: "nyc3" });
  const image = { registry_type: "DOCKER_HUB", registry: "library", repository: "nginx", tag: "1" };
  const { app } = await post("apps", { spec: { name: "standing", region: "nyc", services: [{ name: "web", image }] } });
  return {
    env: {
      DO_CONFORMANCE_TOKEN: token,
      DO_CONFORMANCE_ENDPOINT: emulator.url,
      DO_CONFORMANCE_SPACES_ENDPOINT: emulator.spacesUrl,
      DO_CONFORMANCE_SPACES_KEY: key?.["access_key"] ?? "",
      DO_CONFORMANCE_SPACES_SECRET: key?.["secret_key"] ?? "",
      DO_CONFORMANCE_APP: app?.["id"] ?? "",
    },
    async stop() {
      const defects = emulator.defects();
      if (defects.length > 0) {
        process.exitCode = 1;
        console.error(`What the API's description does not allow:\n${[...new Set(defects)].join("\n")}`);
      }
      await emulator.close();
    },
  };
}

function disturb(handler: Handler<Account>, slowIds: string[]): Handler<Account> {
  return async (request) => {
    const { method } = request.operation;
    const said = JSON.stringify(request.body);
    if (method !== "GET" && /\bfails\b/.test(said) && !/^\/v2\/[a-z_]+$/.test(request.url.pathname)) {
      return { status: 422, body: { id: "unprocessable_entity", message: "refused, as the sample says" } };
    }
    const given = await handler(request);
    // A copy: the answer may be what the emulator keeps.
    const reply = { ...given, body: structuredClone(given.body) };
    if (method === "POST" && /\bslow\b/.test(said)) {
      const [, id] = /"(?:id|uuid)":"?([\w-]+)/.exec(JSON.stringify(reply.body)) ?? [];
      if (id !== undefined) slowIds.push(id);
    }
    for (const domain of domainsOf(reply.body)) if (domain.spec.certificate === "slow") domain.phase = "PENDING";
    const isSlow = method === "GET" && slowIds.some((id) => request.url.pathname.split("/").includes(id));
    return isSlow ? { ...reply, body: keepDown(request.url.pathname, reply.body as Json | undefined) } : reply;
  };
}

interface Domain {
  phase: string;
  readonly spec: { readonly certificate?: string };
}

/** Domains of the app that an answer holds, which stands for more than one sample. */
function domainsOf(body: unknown): readonly Domain[] {
  return (body as { app?: { domains?: readonly Domain[] } } | undefined)?.app?.domains ?? [];
}

/** The answer of a thing that has not come up. */
function keepDown(path: string, body: Json | undefined): Json | undefined {
  if (body === undefined) return undefined;
  const isPool = path.includes("/autoscale/");
  const words: readonly [RegExp, string][] = [
    [/"status":"active"/g, isPool ? '"status":"active"' : '"status":"new"'],
    [/"status":"online"/g, '"status":"creating"'],
    [/"state":"running"/g, '"state":"provisioning"'],
    [/"state":"verified"/g, '"state":"pending"'],
    [/"status":"succeeded"/g, '"status":"waiting"'],
    [/"phase":"ACTIVE"/g, path.endsWith("/deployments") ? '"phase":"DEPLOYING"' : '"phase":"UNKNOWN"'],
    [/"active_resources_count":\d+/g, '"active_resources_count":0'],
  ];
  return JSON.parse(words.reduce((text, [word, down]) => text.replaceAll(word, down), JSON.stringify(body))) as Json;
}
