import { ProviderFailure } from "@wfctl/plugin-sdk";

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && codes.includes(code);
}

/** The system's refusal, in the provider's words. Only for steps before which nothing was changed. */
export function refused(error: unknown, what: string): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "an unknown error";
  if (hasCode(error, "EACCES", "EPERM", "EROFS")) {
    return new ProviderFailure("forbidden", `Cannot ${what}: this user may not (${code})`, { cause: error });
  }
  if (hasCode(error, "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP")) {
    return new ProviderFailure("validation", `Cannot ${what}: the path leads through something else (${code})`, {
      cause: error,
    });
  }
  return new ProviderFailure("unknown", `Cannot ${what}: ${code}`, { cause: error });
}
