import type { StackConfig } from "@wfctl/config";
import type { Context } from "../context.ts";

/** What references without a dot, and sensitive variables, are looked up in. Secret; never the environment of a process. */
export function stackEnv(stack: Pick<StackConfig, "secretVariables">, context: Pick<Context, "env">): Context["env"] {
  return { ...context.env, ...stack.secretVariables };
}
