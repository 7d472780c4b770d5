import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { AwsConfig } from "./config.ts";
import { createCredentials, type Credentials } from "./credentials.ts";
import { createDeferrals, type Deferrals } from "./deferrals.ts";
import { failureOf } from "./errors.ts";
import { createTurns, type Turns } from "./turns.ts";

/** One chunk each: loaded when the first call of the service is made. */
const services = {
  acm: () => import("./sdk/acm.ts"),
  apigatewayv2: () => import("./sdk/apigatewayv2.ts"),
  autoscaling: () => import("./sdk/application-auto-scaling.ts"),
  ec2: () => import("./sdk/ec2.ts"),
  ecr: () => import("./sdk/ecr.ts"),
  ecs: () => import("./sdk/ecs.ts"),
  eks: () => import("./sdk/eks.ts"),
  elasticache: () => import("./sdk/elasticache.ts"),
  elbv2: () => import("./sdk/elasticloadbalancingv2.ts"),
  iam: () => import("./sdk/iam.ts"),
  logs: () => import("./sdk/logs.ts"),
  rds: () => import("./sdk/rds.ts"),
  route53: () => import("./sdk/route53.ts"),
  s3: () => import("./sdk/s3.ts"),
  sts: () => import("./sdk/sts.ts"),
} as const;

export type ServiceName = keyof typeof services;
export type ServiceModule<Name extends ServiceName> = Awaited<ReturnType<(typeof services)[Name]>>;
export const serviceNames = Object.keys(services) as readonly ServiceName[];

/** Services with one endpoint per partition. */
const globalServices: ReadonlySet<ServiceName> = new Set(["iam", "route53"]);
const connectTimeoutMs = 5_000;
/** Without a byte from the service. A call that takes longer is given up: its end is not known then. */
const silenceTimeoutMs = 60_000;

export interface Identity {
  readonly accountId: string;
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
}

/** The one method of the SDK's clients that is used. */
export interface SdkClient {
  send(command: unknown, options: { abortSignal: AbortSignal }): Promise<unknown>;
  destroy(): void;
}

export interface Connection<Name extends ServiceName> {
  readonly client: SdkClient;
  /** The service's commands, by name. */
  readonly module: ServiceModule<Name>;
  /** Where the calls go, if that is not AWS itself: an emulator, or a store of the same API. */
  readonly standIn: string | undefined;
}

/** One configured account and region. */
export interface AwsClient {
  readonly config: AwsConfig;
  /** Of resources that name none. */
  readonly region: string;
  /** Address of all services where it is not AWS's own; empty where it is. */
  readonly endpoint: string;
  /** Work that waits for the end of a run. */
  readonly deferrals: Deferrals;
  /** Creates of one action, of which the host may send a second while the first still runs. */
  readonly turns: Turns;
  /** Who the credentials belong to. Asked once; refuses accounts that the configuration does not allow. */
  identity(signal: AbortSignal): Promise<Identity>;
  connect<Name extends ServiceName>(service: Name, region: string): Promise<Connection<Name>>;
  /** The same account at one of `resource_endpoints`, which must say where `service` is. */
  at(endpoint: string, service: ServiceName): AwsClient;
  /** The `resource_endpoints` that say where `service` is. */
  endpointNames(service: ServiceName): readonly string[];
  close(): void;
}

/** The only place where clients of the SDK are made. Makes no call. */
export async function createAwsClient(
  config: AwsConfig,
  version: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<AwsClient> {
  const clients = new Map<string, Promise<Connection<ServiceName>>>();
  const base = {
    ...(config.profile === undefined ? {} : { profile: config.profile }),
    useFipsEndpoint: config.use_fips_endpoint,
    useDualstackEndpoint: config.use_dualstack_endpoint,
    // The limiter and the calls' own rules repeat what may be repeated.
    maxAttempts: 1,
    customUserAgent: `wfctl-provider-aws/${version}`,
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceTimeoutMs },
  };
  const region = config.region ?? (await findRegion(base));
  let credentials: Promise<Credentials> | undefined;

  const connect = async (
    service: ServiceName,
    where: string,
    place: string | undefined,
  ): Promise<Connection<ServiceName>> => {
    credentials ??= createCredentials(config, { region, endpoint: endpointOf(config, "sts") });
    const [module, resolved] = await Promise.all([services[service](), credentials]);
    const given = endpointOf(config, service, place);
    const open = (more: object): ConfiguredClient =>
      new (module.Client as unknown as new (options: object) => ConfiguredClient)({
        ...base,
        region: where,
        credentials: resolved,
        ...(given === undefined ? {} : { endpoint: given }),
        ...more,
      });
    // AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and their like, or endpoint_url of the profile, as the SDK finds them.
    const client = open({});
    const endpoint = given ?? (await client.config.serviceConfiguredEndpoint?.().catch(() => undefined));
    const standIn = endpoint === undefined || isOfAws(endpoint) ? undefined : endpoint.replace(/\/+$/, "");
    if (service !== "s3") return { client, module, standIn };
    // Other stores than AWS's own have buckets in the path, not in the host.
    const forcePathStyle = config.s3_use_path_style ?? endpoint !== undefined;
    return { client: open({ forcePathStyle, followRegionRedirects: true }), module, standIn };
  };

  const deferrals = createDeferrals();
  const turns = createTurns();
  const views = new Map<string | undefined, AwsClient>();
  const view = (place: string | undefined): AwsClient => {
    let asked: Promise<Identity> | undefined;
    const self: AwsClient = {
      config,
      region,
      // The SDK finds the variable by itself.
      endpoint: config.endpoint ?? environment["AWS_ENDPOINT_URL"] ?? "",
      deferrals: place === undefined ? deferrals : deferAt(deferrals, place, () => self),
      turns,
      connect<Name extends ServiceName>(service: Name, where: string) {
        const own = namedEndpoint(config, service, place) === undefined ? "" : ` ${place}`;
        const key = `${globalServices.has(service) ? service : `${service} ${where}`}${own}`;
        let connection = clients.get(key);
        if (connection === undefined) {
          connection = connect(service, where, place);
          connection.catch(() => clients.delete(key));
          clients.set(key, connection);
        }
        return connection as Promise<Connection<Name>>;
      },
      identity(signal) {
        asked ??= askIdentity(self, signal).catch((error: unknown) => {
          asked = undefined;
          throw error;
        });
        return asked;
      },
      at(name, service) {
        if (namedEndpoint(config, service, name) === undefined) {
          const known = self.endpointNames(service).join(", ") || "none";
          throw new ProviderFailure(
            "validation",
            `resource_endpoints of the provider has no "${name}" for ${service}; there is: ${known}`,
          );
        }
        let found = views.get(name);
        if (found === undefined) views.set(name, (found = view(name)));
        return found;
      },
      endpointNames: (service) =>
        Object.keys(config.resource_endpoints).filter((name) => namedEndpoint(config, service, name) !== undefined),
      close() {
        for (const connection of clients.values()) {
          connection.then(({ client }) => client.destroy()).catch(() => {});
        }
        clients.clear();
      },
    };
    return self;
  };
  return view(undefined);
}

/** What is put off at an endpoint is done there. */
function deferAt(deferrals: Deferrals, place: string, client: () => AwsClient): Deferrals {
  return {
    all: deferrals.all,
    set(key, deferred) {
      const at = deferred && {
        resource: deferred.resource,
        run: (context: Parameters<typeof deferred.run>[0]) =>
          deferred.run(Object.create(context, { client: { value: client() } }) as typeof context),
      };
      deferrals.set(`${key}#${place}`, at);
    },
  };
}

function namedEndpoint(config: AwsConfig, service: ServiceName, place: string | undefined): string | undefined {
  const named = place === undefined ? undefined : config.resource_endpoints[place];
  return typeof named === "string" ? named : named?.[service];
}

function endpointOf(config: AwsConfig, service: ServiceName, place?: string): string | undefined {
  return namedEndpoint(config, service, place) ?? config.endpoints?.[service] ?? config.endpoint;
}

interface ConfiguredClient extends SdkClient {
  readonly config: { readonly serviceConfiguredEndpoint?: () => Promise<string | undefined> };
}

/** True of AWS's own addresses, private ones among them. */
function isOfAws(endpoint: string): boolean {
  return /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(new URL(endpoint).hostname);
}

/** As the SDK finds it: environment, then the profile. */
async function findRegion(base: object): Promise<string> {
  const { Client } = await services.sts();
  return new Client(base).config.region().catch(() => "us-east-1");
}

async function askIdentity(aws: AwsClient, signal: AbortSignal): Promise<Identity> {
  const { client, module, standIn } = await aws.connect("sts", aws.region);
  let answer: { Account?: string; Arn?: string };
  try {
    answer = (await client.send(new module.GetCallerIdentityCommand({}), { abortSignal: signal })) as typeof answer;
  } catch (error) {
    const call = { service: "sts", operation: "GetCallerIdentity", input: {}, address: standIn } as const;
    const failure = failureOf(error, call);
    const isMissing = !["unauthorized", "forbidden", "rate_limited", "cancelled"].includes(failure.class);
    if (standIn === undefined || !isMissing || isUnreachable(error)) throw failure;
    // What stands in for one service may have no STS. By custom a key of twelve digits is the account.
    answer = { Account: await accountOfKey(client) };
  }
  const { Account: accountId = "", Arn: arn = "" } = answer;
  const { allowed_account_ids: allowed, forbidden_account_ids: forbidden } = aws.config;
  if (allowed !== undefined && !allowed.includes(accountId)) {
    throw new ProviderFailure(
      "forbidden",
      `The credentials belong to account ${accountId}, which allowed_account_ids (${allowed.join(", ")}) does not name: use other credentials or add it`,
    );
  }
  if (forbidden?.includes(accountId) === true) {
    throw new ProviderFailure(
      "forbidden",
      `The credentials belong to account ${accountId}, which forbidden_account_ids names: use other credentials`,
    );
  }
  return { accountId, arn, partition: arn.split(":")[1] || "aws" };
}

const noAccount = "000000000000";

async function accountOfKey(client: SdkClient): Promise<string> {
  const { credentials } = (client as unknown as { config: { credentials(): Promise<{ accessKeyId: string }> } }).config;
  const { accessKeyId } = await credentials();
  return /^\d{12}$/.test(accessKeyId) ? accessKeyId : noAccount;
}

/** True where nothing has answered. */
function isUnreachable(error: unknown): boolean {
  const { $metadata, $response } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly statusCode?: number };
  };
  return ($response?.statusCode ?? $metadata?.httpStatusCode) === undefined;
}
