import type { Listener, Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Aws, Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isSame } from "../json.ts";
import { partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import { toPairs, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { fromSdkAction, fromSdkRule, toConditions, toSdkAction, type GroupArns } from "./actions.ts";
import type { ListenerInput, ListenerRule } from "./schema.ts";

/** How long a certificate may take to be issued. */
const certificateMs = 900_000;
/** How long a new one may be unknown to load balancers. */
const certificateKnownMs = 30_000;
const defaultPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06";

interface Whole {
  readonly arn: string;
  readonly name: string;
  readonly tags: Tags;
  readonly groups: GroupArns;
}

export function listListeners({ elbv2 }: Aws, balancerArn: string): Promise<Listener[]> {
  return collect(async (marker) => {
    const request = { LoadBalancerArn: balancerArn, ...(marker === undefined ? {} : { Marker: marker }) };
    const page = await elbv2.describeListeners(request);
    return [page.Listeners, page.NextMarker] as const;
  });
}

/** Makes, changes and deletes listeners, port by port, and their rules. */
export async function syncListeners(cloud: Aws, whole: Whole, wanted: readonly ListenerInput[]): Promise<void> {
  const live = new Map((await listListeners(cloud, whole.arn)).map((listener) => [listener.Port, listener]));
  for (const [port, listener] of live) {
    if (wanted.some((each) => each.port === port)) continue;
    await orAbsent(cloud.elbv2.deleteListener({ ListenerArn: listener.ListenerArn ?? "" }));
  }
  for (const each of wanted) {
    const found = live.get(each.port);
    const arn =
      found === undefined ? await makeListener(cloud, whole, each) : await changeListener(cloud, whole, each, found);
    await syncCertificates(cloud, arn, each);
    await syncRules(cloud, whole, each, arn);
  }
}

/** Deletes all listeners of a load balancer, which may be gone. */
export async function removeListeners(cloud: Aws, balancerArn: string): Promise<void> {
  for (const { ListenerArn: arn = "" } of (await orAbsent(listListeners(cloud, balancerArn))) ?? []) {
    await orAbsent(cloud.elbv2.deleteListener({ ListenerArn: arn }));
  }
}

/** A listener as the input has it, its rules included. */
export async function readListener(
  cloud: Aws,
  listener: Listener,
  names: ReadonlyMap<string, string>,
): Promise<ListenerInput> {
  const { ListenerArn: arn = "", Port: port = 0, Protocol: protocol, SslPolicy: policy } = listener;
  const isSecure = protocol === "HTTPS" || protocol === "TLS";
  const [rules, certificates] = await Promise.all([
    protocol === "HTTP" || protocol === "HTTPS" ? listRules(cloud, arn) : [],
    isSecure ? additionalCertificates(cloud, arn, listener) : [],
  ]);
  const certificate = listener.Certificates?.[0]?.CertificateArn;
  return {
    port,
    protocol: protocol as ListenerInput["protocol"],
    ...(certificate === undefined ? {} : { certificate_arn: certificate }),
    additional_certificate_arns: certificates,
    ...(policy === undefined || policy === "" ? {} : { ssl_policy: policy }),
    default_action: fromSdkAction(listener.DefaultActions, names) ?? {},
    rules: rules.map((rule) => fromSdkRule(rule, names)).toSorted((a, b) => a.priority - b.priority),
  };
}

async function makeListener({ elbv2, context }: Aws, whole: Whole, wanted: ListenerInput): Promise<string> {
  const tags = partTags(context, { of: whole.arn, key: `listener/${wanted.port}`, name: whole.name, tags: whole.tags });
  const request = { LoadBalancerArn: whole.arn, ...settingsOf(wanted, whole.groups), Tags: toPairs(tags) };
  const made = await withIssuedCertificate(context, wanted, () => elbv2.createListener(request));
  return made.Listeners?.[0]?.ListenerArn ?? "";
}

async function changeListener(cloud: Aws, whole: Whole, wanted: ListenerInput, live: Listener): Promise<string> {
  const { ListenerArn: arn = "" } = live;
  const names = new Map([...whole.groups].map(([name, group]) => [group, name]));
  const same =
    live.Protocol === wanted.protocol &&
    (wanted.certificate_arn === undefined || live.Certificates?.[0]?.CertificateArn === wanted.certificate_arn) &&
    (wanted.ssl_policy === undefined || live.SslPolicy === wanted.ssl_policy) &&
    isSame(fromSdkAction(live.DefaultActions, names), wanted.default_action);
  const request = { ListenerArn: arn, ...settingsOf(wanted, whole.groups, live) };
  if (!same) await withIssuedCertificate(cloud.context, wanted, () => cloud.elbv2.modifyListener(request));
  return arn;
}

/** A certificate that is still being validated, such as by records of the same run, is waited for. */
function withIssuedCertificate<Answer>(
  context: Context,
  { port, certificate_arn: certificate }: ListenerInput,
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (certificate === undefined) return call();
  const what = `certificate ${certificate} of port ${port} to be`;
  const whenIssued = () =>
    retryWhile(context, ["UnsupportedCertificate"], `${what} issued`, call, { timeoutMs: certificateMs });
  return retryWhile(context, ["CertificateNotFound"], `${what} known`, whenIssued, { timeoutMs: certificateKnownMs });
}

function settingsOf(wanted: ListenerInput, groups: GroupArns, live?: Listener) {
  const isSecure = wanted.certificate_arn !== undefined;
  return {
    Port: wanted.port,
    Protocol: wanted.protocol,
    DefaultActions: [toSdkAction(wanted.default_action, groups)],
    ...(isSecure
      ? {
          Certificates: [{ CertificateArn: wanted.certificate_arn }],
          SslPolicy: wanted.ssl_policy ?? (live?.SslPolicy || defaultPolicy),
        }
      : {}),
  };
}

async function additionalCertificates(cloud: Aws, arn: string, listener: Listener): Promise<string[]> {
  const instead = "listeners are taken to have no more certificates than one";
  const found = await orUnoffered(cloud, "elbv2:DescribeListenerCertificates", instead, () =>
    collect(async (marker) => {
      const request = { ListenerArn: arn, ...(marker === undefined ? {} : { Marker: marker }) };
      const page = await cloud.elbv2.describeListenerCertificates(request);
      return [page.Certificates, page.NextMarker] as const;
    }),
  );
  const all = found ?? [];
  const main = listener.Certificates?.[0]?.CertificateArn;
  return all.flatMap(({ CertificateArn: own = "", IsDefault: isDefault }) =>
    isDefault === true || own === main ? [] : [own],
  );
}

async function syncCertificates(cloud: Aws, arn: string, wanted: ListenerInput): Promise<void> {
  if (wanted.certificate_arn === undefined) return;
  const main = { Certificates: [{ CertificateArn: wanted.certificate_arn }] };
  const live = await additionalCertificates(cloud, arn, main);
  const pairs = (arns: readonly string[]) => arns.map((CertificateArn) => ({ CertificateArn }));
  const add = wanted.additional_certificate_arns.filter((each) => !live.includes(each));
  const remove = live.filter((each) => !wanted.additional_certificate_arns.includes(each));
  if (add.length > 0) await cloud.elbv2.addListenerCertificates({ ListenerArn: arn, Certificates: pairs(add) });
  if (remove.length > 0)
    await cloud.elbv2.removeListenerCertificates({ ListenerArn: arn, Certificates: pairs(remove) });
}

async function listRules({ elbv2 }: Aws, listenerArn: string): Promise<Rule[]> {
  const rules = await collect(async (marker) => {
    const request = { ListenerArn: listenerArn, ...(marker === undefined ? {} : { Marker: marker }) };
    const page = await elbv2.describeRules(request);
    return [page.Rules, page.NextMarker] as const;
  });
  return rules.filter(({ IsDefault }) => IsDefault !== true);
}

/** Rules are known by their priority. */
async function syncRules(cloud: Aws, whole: Whole, listener: ListenerInput, listenerArn: string): Promise<void> {
  const { elbv2, context } = cloud;
  if (listener.protocol !== "HTTP" && listener.protocol !== "HTTPS") return;
  const names = new Map([...whole.groups].map(([name, group]) => [group, name]));
  const live = new Map((await listRules(cloud, listenerArn)).map((rule) => [Number(rule.Priority), rule]));
  for (const [priority, rule] of live) {
    if (listener.rules.some((each) => each.priority === priority)) continue;
    await orAbsent(elbv2.deleteRule({ RuleArn: rule.RuleArn ?? "" }));
  }
  for (const wanted of listener.rules) {
    const found = live.get(wanted.priority);
    const settings = { Conditions: toConditions(wanted), Actions: [toSdkAction(wanted.action, whole.groups)] };
    if (found === undefined) {
      const part = {
        of: whole.arn,
        key: `rule/${listener.port}/${wanted.priority}`,
        name: whole.name,
        tags: whole.tags,
      };
      const request = {
        ListenerArn: listenerArn,
        Priority: wanted.priority,
        ...settings,
        Tags: toPairs(partTags(context, part)),
      };
      await retryWhile(
        context,
        ["PriorityInUse"],
        `priority ${wanted.priority} to be free`,
        () => elbv2.createRule(request),
        {
          timeoutMs: 10_000,
        },
      );
    } else if (!sameRule(fromSdkRule(found, names), wanted)) {
      await elbv2.modifyRule({ RuleArn: found.RuleArn ?? "", ...settings });
    }
  }
}

function sameRule(live: ListenerRule, wanted: ListenerRule): boolean {
  const sorted = (rule: ListenerRule) => ({
    ...rule,
    hosts: rule.hosts?.toSorted(),
    paths: rule.paths?.toSorted(),
    methods: rule.methods?.toSorted(),
    source_ips: rule.source_ips?.toSorted(),
  });
  return isSame(sorted(live), sorted(wanted));
}
