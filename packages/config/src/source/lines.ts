/** Where an offset is: lines and columns count from 1, columns in UTF-16 units. */
export interface LinePosition {
  readonly line: number;
  readonly column: number;
}

/** Offsets at which lines begin; `\r\n`, `\n` and `\r` end a line. */
export function findLineStarts(text: string): number[] {
  const starts = [0];
  const ends = /\r\n?|\n/g;
  while (ends.exec(text) !== null) starts.push(ends.lastIndex);
  return starts;
}

export function positionAt(lineStarts: readonly number[], offset: number): LinePosition {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
