import type { Diagnostic, ResourceRecord } from "@wfctl/model";
import type { Provider } from "../ports/index.ts";

/**
 * Modules that answer for another account, or are another provider, than when their records were written: what stands in
 * the old place would be taken for gone. One error per module.
 */
export function accountDiagnostics(
  records: Iterable<ResourceRecord>,
  providers: ReadonlyMap<string, Provider>,
): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const record of records) {
    const provider = providers.get(record.provider);
    if (provider === undefined || found.has(record.provider)) continue;
    const was = describe(record.providerName, record.providerIdentity);
    const is = describe(provider.name, provider.identity);
    const otherProvider = record.providerName !== "" && record.providerName !== provider.name;
    const otherAccount =
      record.providerIdentity !== undefined &&
      provider.identity !== undefined &&
      record.providerIdentity !== provider.identity;
    if (!otherProvider && !otherAccount) continue;
    found.set(record.provider, {
      severity: "error",
      code: "OTHER_ACCOUNT",
      address: record.provider,
      ...(otherProvider ? describeOther(record, provider) : describeMoved(record, was, is)),
    });
  }
  return [...found.values()];
}

function describeMoved(record: ResourceRecord, was: string, is: string): Pick<Diagnostic, "summary" | "hint"> {
  return {
    summary: `Provider module "${record.provider}" reached ${was} when "${record.name}" was written, and reaches ${is} now`,
    hint: "Use the credentials of before, or give the new account a module of its own name",
  };
}

function describeOther(record: ResourceRecord, { name }: Provider): Pick<Diagnostic, "summary" | "hint"> {
  return {
    summary: `Provider module "${record.provider}" was "${record.providerName}" when "${record.name}" was written, and is "${name}" now`,
    hint: `Give the module of "${name}" another name: what was made before is then reached with the configuration that the state keeps`,
  };
}

function describe(name: string, identity: string | undefined): string {
  return identity === undefined ? `"${name}"` : `"${identity}"`;
}
