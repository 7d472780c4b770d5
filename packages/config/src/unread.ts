/** Why a file cannot be read, as part of a sentence, and what to do. */
export interface UnreadReason {
  readonly why: string;
  readonly hint: string;
}

const reasons: Readonly<Record<string, UnreadReason>> = {
  EISDIR: { why: "it is a folder, expected a file", hint: "Name a file in it" },
  EACCES: { why: "its permissions do not allow it (EACCES)", hint: "Check its permissions, and those of its folders" },
  EPERM: { why: "it is not permitted (EPERM)", hint: "Check its permissions, and those of its folders" },
  ELOOP: { why: "its symbolic links form a loop", hint: "Correct the links" },
  ENOTDIR: { why: "a part of its path is no folder", hint: "Check the path" },
  ENAMETOOLONG: { why: "its path is too long", hint: "Check the path" },
  EIO: { why: "reading it failed (EIO)", hint: "Check the disk" },
};

/** What a code of the file system means; other reasons are said as they are. */
export function explainUnread(reason: string): UnreadReason {
  return reasons[reason] ?? { why: reason, hint: "Check the file" };
}
