import { setFlagsFromString } from "node:v8";

/**
 * Keeps the heap of short-lived objects at its size of now instead of letting it grow eightfold: a provider waits for
 * answers, and what it allocates between two of them is little. Saves some 8 MB of each process.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
