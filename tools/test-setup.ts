import { configureGlobal } from "fast-check";

// The gate tries the same cases each time, so that it says the same of the same commit; elsewhere they are drawn anew.
if (process.env["CI"] !== undefined) configureGlobal({ seed: 20_261_124 });
