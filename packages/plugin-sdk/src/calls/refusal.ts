/** Why a call never reached a handler. Not a failure of the provider: hosts tell these by their status code. */
export type RefusalReason = "type_missing" | "type_unknown" | "not_configured" | "not_implemented";

export class CallRefusal extends Error {
  readonly reason: RefusalReason;
  /** The resource type, or the configuration's name. */
  readonly subject: string;

  constructor(reason: RefusalReason, subject: string, message: string) {
    super(message);
    this.name = "CallRefusal";
    this.reason = reason;
    this.subject = subject;
  }
}
