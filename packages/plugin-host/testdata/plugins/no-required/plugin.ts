import { iacServices } from "@wfctl/contract";

import { serveFixture } from "../../lib/serve.ts";

serveFixture({ advertised: [iacServices.ResourceDriver.typeName] });
