import { configureGlobal } from "fast-check";

// The same cases each time, so that the tests say the same of the same commit. WFCTL_TEST_SEED=random draws them anew.
const seed = process.env["WFCTL_TEST_SEED"] ?? "20261124";
if (seed !== "random") configureGlobal({ seed: Number(seed) });
