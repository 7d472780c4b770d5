export { drive, type Driver } from "./drive.ts";
export { startPlugin, type Plugin } from "./start-plugin.ts";
