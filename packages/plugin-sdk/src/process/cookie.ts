import { handshake } from "@wfctl/contract";

/** Undefined where a host started the process, else what to tell the person who did. */
export function refuseWithoutHost(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  if (environment[handshake.cookieName] === handshake.cookieValue) return undefined;
  return [
    `This is the ${name} provider, a plugin of wfctl. It is not meant to be run by itself.`,
    "wfctl starts it when a configuration needs it.",
    "",
  ].join("\n");
}
