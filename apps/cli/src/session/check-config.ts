import { checkContainerKeys, suggestHint, validateAgainstSchema, type StackConfig } from "@wfctl/config";
import type { Provider } from "@wfctl/engine";
import type { DesiredResource, Diagnostic } from "@wfctl/model";

/** What of a resource's configuration does not fit its type, as far as its provider says what fits. */
export function checkConfig(
  resource: DesiredResource,
  stack: Pick<StackConfig, "locate">,
  provider: Pick<Provider, "traits"> | undefined,
): Diagnostic[] {
  const traits = provider?.traits(resource.type);
  const locate = (pointer: string, at: "key" | "value") => stack.locate(resource.name, pointer, at);
  const options = { address: resource.name, locate };
  if (traits?.schema === undefined) {
    return resource.type === "infra.container_service" ? checkContainerKeys(resource.config, options) : [];
  }
  return validateAgainstSchema(resource.config, traits.schema, {
    ...options,
    type: resource.type,
    sensitive: traits.sensitiveInputs ?? [],
  });
}

/** A type that the provider lists no driver of; empty where it lists nothing, and so may have it. */
export function checkType(
  resource: DesiredResource,
  stack: Pick<StackConfig, "locate">,
  provider: { readonly name: string; readonly resourceTypes?: readonly string[] } | undefined,
): Diagnostic[] {
  const types = provider?.resourceTypes ?? [];
  if (provider === undefined || types.length === 0 || types.includes(resource.type)) return [];
  const source = stack.locate(resource.name, "/type");
  return [
    {
      severity: "error",
      code: "NO_DRIVER",
      summary: `The provider "${provider.name}" has no resource type "${resource.type}"`,
      hint: suggestHint(resource.type, types, `It has ${types.join(", ")}`),
      address: resource.name,
      path: "/type",
      ...(source === undefined ? {} : { source }),
    },
  ];
}
