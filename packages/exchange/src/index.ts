export type { ForeignObject, ForeignState } from "./foreign/foreign-state.ts";
export { readForeignState } from "./foreign/read-foreign-state.ts";
export { matchObjects, type Match, type MatchOptions } from "./mapping/match-objects.ts";
export { isStateExport, readStateExport, type ImportedRecords } from "./records/read-state-export.ts";
export { stateExportFormat, writeStateExport, type ExportInput } from "./records/write-state-export.ts";
