import type { Account, Thing } from "../account.ts";
import { asText, notFound, paged, type Handlers } from "./answers.ts";
import { regionOf } from "./catalogue.ts";

/** An action that is under way, and what it does when it ends. */
export function startAction(
  account: Account,
  given: { type: string; resourceType: string; resourceId: number | null; region: string; takesMs: number },
  finish: () => void,
): Thing {
  const id = account.nextNumber();
  const action: Thing = {
    id,
    status: "in-progress",
    type: given.type,
    started_at: account.clock.iso(),
    completed_at: null,
    resource_id: given.resourceId,
    resource_type: given.resourceType,
    region_slug: given.region,
    region: regionOf(given.region)!,
  };
  account.actions.add(asText(id), action);
  account.clock.after(given.takesMs, () => {
    finish();
    action["status"] = "completed";
    action["completed_at"] = account.clock.iso();
  });
  return action;
}

export const actions: Handlers = {
  actions_list: (request) => paged(request, "actions", request.account.actions.list()),
  actions_get({ account, params }) {
    const action = account.actions.get(params["action_id"] ?? "");
    return action === undefined ? notFound() : { status: 200, body: { action } };
  },
};
