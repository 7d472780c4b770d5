export { drive, type Driver } from "./drive.ts";
export { measureStart, median, printMeasured, residentMb, startRows, type MeasuredRow } from "./measure.ts";
export { startPlugin, type Plugin } from "./start-plugin.ts";
