import { extServiceNames, iacServiceNames } from "@wfctl/contract";

import { storeDrivers } from "../../lib/drivers.ts";
import { serveFixture } from "../../lib/serve.ts";

serveFixture({
  advertised: [...Object.values(iacServiceNames), ...Object.values(extServiceNames)],
  driver: storeDrivers(),
});
