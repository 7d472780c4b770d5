import { escapeXml, textsOf } from "@wfctl/object-store";
import type { CorsRule, LifecycleRule } from "./schema.ts";

const element = (name: string, value: string | number): string => `<${name}>${escapeXml(String(value))}</${name}>`;

export function corsToXml(rules: readonly CorsRule[]): string {
  const bodies = rules.map(
    (rule) =>
      `<CORSRule>${rule.allowed_methods.map((each) => element("AllowedMethod", each)).join("")}${rule.allowed_origins
        .map((each) => element("AllowedOrigin", each))
        .join("")}${rule.allowed_headers.map((each) => element("AllowedHeader", each)).join("")}${
        rule.max_age_seconds > 0 ? element("MaxAgeSeconds", rule.max_age_seconds) : ""
      }</CORSRule>`,
  );
  return `<CORSConfiguration>${bodies.join("")}</CORSConfiguration>`;
}

export function corsFromXml(xml: string): CorsRule[] {
  return textsOf(xml, "CORSRule").map((rule) => ({
    allowed_methods: textsOf(rule, "AllowedMethod") as CorsRule["allowed_methods"],
    allowed_origins: textsOf(rule, "AllowedOrigin"),
    allowed_headers: textsOf(rule, "AllowedHeader"),
    max_age_seconds: Number(textsOf(rule, "MaxAgeSeconds")[0] ?? 0),
  }));
}

export function lifecycleToXml(rules: readonly LifecycleRule[]): string {
  const optional = (days: number | undefined, wrap: (text: string) => string): string =>
    days === undefined ? "" : wrap(String(days));
  const bodies = rules.map(
    (rule) =>
      `<Rule>${element("ID", rule.id)}${element("Prefix", rule.prefix)}${element("Status", rule.enabled ? "Enabled" : "Disabled")}${optional(
        rule.expiration_days,
        (days) => `<Expiration>${element("Days", days)}</Expiration>`,
      )}${optional(
        rule.noncurrent_version_expiration_days,
        (days) => `<NoncurrentVersionExpiration>${element("NoncurrentDays", days)}</NoncurrentVersionExpiration>`,
      )}${optional(
        rule.abort_incomplete_multipart_upload_days,
        (days) =>
          `<AbortIncompleteMultipartUpload>${element("DaysAfterInitiation", days)}</AbortIncompleteMultipartUpload>`,
      )}</Rule>`,
  );
  return `<LifecycleConfiguration>${bodies.join("")}</LifecycleConfiguration>`;
}

export function lifecycleFromXml(xml: string): LifecycleRule[] {
  return textsOf(xml, "Rule").map((rule) => {
    const daysIn = (part: string, name: string): number | undefined => {
      const text = textsOf(textsOf(rule, part)[0] ?? "", name)[0];
      return text === undefined ? undefined : Number(text);
    };
    const days = {
      expiration_days: daysIn("Expiration", "Days"),
      noncurrent_version_expiration_days: daysIn("NoncurrentVersionExpiration", "NoncurrentDays"),
      abort_incomplete_multipart_upload_days: daysIn("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
    };
    const known = Object.fromEntries(Object.entries(days).filter(([, value]) => value !== undefined));
    return {
      id: textsOf(rule, "ID")[0] ?? "",
      prefix: textsOf(rule, "Prefix")[0] ?? "",
      enabled: textsOf(rule, "Status")[0] === "Enabled",
      ...known,
    };
  });
}
