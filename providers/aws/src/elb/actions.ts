import type { Action as SdkAction, Rule, RuleCondition } from "@aws-sdk/client-elastic-load-balancing-v2";
import { defined } from "../json.ts";
import type { Action, ListenerRule } from "./schema.ts";

/** ARNs of the target groups by the names of the input. */
export type GroupArns = ReadonlyMap<string, string>;

export function toSdkAction(action: Action, groups: GroupArns): SdkAction {
  if (action.redirect !== undefined) {
    const { protocol, port, host, path, query, status } = action.redirect;
    return {
      Type: "redirect",
      RedirectConfig: {
        Protocol: protocol,
        Port: port,
        Host: host,
        Path: path,
        Query: query,
        StatusCode: `HTTP_${status}`,
      },
    };
  }
  if (action.fixed_response !== undefined) {
    const { status, content_type: type, body } = action.fixed_response;
    return {
      Type: "fixed-response",
      FixedResponseConfig: {
        StatusCode: String(status),
        ContentType: type,
        ...(body === "" ? {} : { MessageBody: body }),
      },
    };
  }
  const targets = (action.forward ?? []).map(({ group, weight }) => ({
    TargetGroupArn: groups.get(group) ?? "",
    Weight: weight,
  }));
  const [only] = targets;
  // Network load balancers take no list.
  if (targets.length === 1 && only !== undefined) return { Type: "forward", TargetGroupArn: only.TargetGroupArn };
  return { Type: "forward", ForwardConfig: { TargetGroups: targets } };
}

/** An action as the input has it; undefined where it is of a kind that the input does not know. */
export function fromSdkAction(
  actions: readonly SdkAction[] | undefined,
  names: ReadonlyMap<string, string>,
): Action | undefined {
  const action = actions?.at(-1);
  if (action?.Type === "redirect") {
    const redirect = action.RedirectConfig;
    return {
      redirect: {
        protocol: (redirect?.Protocol ?? "#{protocol}") as NonNullable<Action["redirect"]>["protocol"],
        port: redirect?.Port ?? "#{port}",
        host: redirect?.Host ?? "#{host}",
        path: redirect?.Path ?? "/#{path}",
        query: redirect?.Query ?? "#{query}",
        status: redirect?.StatusCode === "HTTP_302" ? 302 : 301,
      },
    };
  }
  if (action?.Type === "fixed-response") {
    const fixed = action.FixedResponseConfig;
    return {
      fixed_response: {
        status: Number(fixed?.StatusCode ?? 0),
        content_type: fixed?.ContentType ?? "text/plain",
        body: fixed?.MessageBody ?? "",
      },
    };
  }
  if (action?.Type !== "forward") return undefined;
  const targets = action.ForwardConfig?.TargetGroups ?? [];
  const all = targets.length > 0 ? targets : [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
  return {
    forward: all.map(({ TargetGroupArn: arn = "", Weight: weight }) => ({
      group: names.get(arn) ?? arn,
      weight: all.length === 1 ? 1 : (weight ?? 1),
    })),
  };
}

export function toConditions(rule: ListenerRule): RuleCondition[] {
  const values = (field: string, key: string, list: readonly string[] | undefined): RuleCondition[] =>
    list === undefined ? [] : [{ Field: field, [key]: { Values: [...list] } }];
  return [
    ...values("host-header", "HostHeaderConfig", rule.hosts),
    ...values("path-pattern", "PathPatternConfig", rule.paths),
    ...values("http-request-method", "HttpRequestMethodConfig", rule.methods),
    ...values("source-ip", "SourceIpConfig", rule.source_ips),
    ...Object.entries(rule.headers ?? {}).map(([name, list]) => ({
      Field: "http-header",
      HttpHeaderConfig: { HttpHeaderName: name, Values: list },
    })),
    ...(rule.query === undefined
      ? []
      : [
          {
            Field: "query-string",
            QueryStringConfig: { Values: Object.entries(rule.query).map(([Key, Value]) => ({ Key, Value })) },
          },
        ]),
  ];
}

/** A rule as the input has it. */
export function fromSdkRule(rule: Rule, names: ReadonlyMap<string, string>): ListenerRule {
  const of = (field: string) => (rule.Conditions ?? []).filter(({ Field }) => Field === field);
  const list = (field: string, key: keyof RuleCondition): string[] | undefined => {
    const [condition] = of(field);
    const config = condition?.[key] as { Values?: string[] } | undefined;
    return condition === undefined ? undefined : (config?.Values ?? condition.Values ?? []);
  };
  const headers = of("http-header").map(
    ({ HttpHeaderConfig: config }) => [config?.HttpHeaderName ?? "", config?.Values ?? []] as const,
  );
  const query = of("query-string").flatMap(({ QueryStringConfig: config }) => config?.Values ?? []);
  return defined({
    priority: Number(rule.Priority),
    hosts: list("host-header", "HostHeaderConfig"),
    paths: list("path-pattern", "PathPatternConfig"),
    methods: list("http-request-method", "HttpRequestMethodConfig"),
    source_ips: list("source-ip", "SourceIpConfig"),
    headers: headers.length === 0 ? undefined : Object.fromEntries(headers),
    query: query.length === 0 ? undefined : Object.fromEntries(query.map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
    action: fromSdkAction(rule.Actions, names) ?? {},
  }) as ListenerRule;
}
