import { extServiceNames, iacServiceNames } from "@wfctl/contract";

import { serveFixture } from "../../lib/serve.ts";
import { serveSession } from "../../lib/session.ts";

// Of two that claim the service one does not even register it, as FIXTURE_REGISTERED says.
const { Configurations, ...others } = extServiceNames;
const names = process.env["FIXTURE_REGISTERED"] === "yes" ? [Configurations] : [];
serveFixture({
  advertised: [iacServiceNames.IaCProviderRequired, ...Object.values(others), ...names],
  more: serveSession,
});
