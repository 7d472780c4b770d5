import type { Json, JsonObject } from "@wfctl/model";
import type { StackConfig } from "./stack.ts";

/**
 * What of a stack decides its plan, as one JSON value: resources, provider modules, moves, imports, the environment.
 * Independent of order, comments, places and files; references and variables are symbolic, so no secret is in it.
 */
export function stackDigestInput(stack: StackConfig): Json {
  return {
    environment: stack.environment,
    resources: stack.resources.toSorted(byName).map((resource) => ({
      ...withoutSource(resource),
      dependsOn: resource.dependsOn.toSorted(),
    })),
    providers: stack.providers.toSorted(byName).map(withoutSource),
    moved: stack.moved.map(({ from, to }) => ({ from, to })),
    imports: stack.imports.map(({ to, id }) => ({ to, id })),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

function withoutSource(item: object): JsonObject {
  return Object.fromEntries(Object.entries(item).filter(([key]) => key !== "source")) as JsonObject;
}
