export interface StoredObject {
  readonly body: string;
  /** Changes with the content; for conditional writes. */
  readonly etag: string;
}

/** When a write or a delete may happen. Both absent: always. */
export interface Condition {
  readonly ifAbsent?: boolean;
  readonly ifMatch?: string;
}

/** What is needed of an object store. An adapter throws its own errors for everything that is no answer. */
export interface Bucket {
  /** Undefined where there is no such object. */
  get(key: string): Promise<StoredObject | undefined>;
  /** The new etag, or undefined where the condition did not hold. */
  put(key: string, body: string, condition?: Condition): Promise<string | undefined>;
  /** False where the condition did not hold. What is not there is deleted already. */
  delete(key: string, condition?: { ifMatch?: string }): Promise<boolean>;
  /** Keys that begin with the prefix, in order. */
  list(prefix: string): AsyncIterable<string>;
}
