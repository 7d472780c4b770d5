import { status } from "@grpc/grpc-js";
import { toProviderError } from "@wfctl/contract";
import { WfctlError, type ErrorCode } from "@wfctl/model";

import { within } from "./connection.ts";
import { isLate } from "./drivers.ts";
import type { PluginChild } from "./launch.ts";
import type { Waiting } from "./tell-waiting.ts";

/** A connection that breaks is told before the end of the process that broke it: how long to wait for the latter. */
export const exitNoticeMs = 1_000;

/** What an error of the load sequence needs to name. */
export interface LoadSubject {
  /** Name in its plugin.json. */
  readonly plugin: string;
  readonly directory: string;
  /** `"aws" 1.2.3`. */
  readonly title: string;
  readonly hint: string;
  readonly child: PluginChild;
  readonly redact: (text: string) => string;
  /** Told of answers that take long. */
  readonly waiting: Waiting;
}

/** A call of the load sequence: its name, its bounds and the code of a failure that has no other. */
export interface LoadCall {
  readonly name: string;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly code: ErrorCode;
}

/** True where the plugin does not serve the method, advertised or not. */
export function isUnimplemented(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === status.UNIMPLEMENTED;
}

/**
 * Why a call of the load sequence failed: the process ended, the answer was late, the method is not there, the reply
 * cannot be read, or else `code` with the plugin's own text.
 */
export async function loadFailure(thrown: unknown, subject: LoadSubject, call: LoadCall): Promise<WfctlError> {
  if (thrown instanceof WfctlError) return thrown;
  const { title, hint, child, redact } = subject;
  const error = toProviderError(thrown);
  const fail = (code: ErrorCode, message: string): WfctlError =>
    new WfctlError(code, `Plugin ${title} ${message}`, { hint, cause: thrown });

  const late = isLate(error, call.deadline);
  if (!error.answered && !late && error.class !== "bad_reply") await within(child.exited, exitNoticeMs);
  if (child.exit !== undefined) return fail("PLUGIN_EXITED", `${await child.describeExit()}, during ${call.name}`);
  if (error.class === "bad_reply")
    return fail("PLUGIN_REPLY", `answered ${call.name} with what cannot be read: ${redact(error.message)}`);
  if (late) {
    return fail("PLUGIN_TIMEOUT", `did not answer ${call.name} within ${call.timeoutMs} ms`);
  }
  if (isUnimplemented(thrown)) return fail("PLUGIN_SERVICE", `does not implement ${call.name}, which it must serve`);
  if (!error.answered && error.class === "transient") {
    const why = redact(plainConnectError(error.message));
    return new WfctlError(
      "PLUGIN_START",
      `Plugin ${title} cannot be reached where its handshake says it listens: ${why}`,
      {
        hint: "Check that it listens there before it prints its handshake; with WFCTL_DEBUG=1 you see what it prints",
        cause: thrown,
      },
    );
  }
  return new WfctlError(call.code, `Plugin ${title} failed in ${call.name}: ${redact(error.message)}`, {
    hint: error.answered ? answerHint(error.class) : hint,
    cause: thrown,
  });
}

/** What the transport says of a connection that it cannot make, without its frame and its empty notes. */
export function plainConnectError(message: string): string {
  const text = message.replace(/\.? Resolution note: *$/, "");
  return /^No connection established\. Last error: (?:Error: )?(.+)$/s.exec(text)?.[1] ?? text;
}

/** The plugin works and says what is wrong: another version of it would say the same. */
function answerHint(errorClass: string): string {
  if (errorClass === "unauthorized") return "Give the provider valid credentials and run again";
  if (errorClass === "forbidden") return "Give the credentials the permission that the message names";
  return "Mend what the message says and run again; with WFCTL_DEBUG=1 you see what the plugin prints";
}
