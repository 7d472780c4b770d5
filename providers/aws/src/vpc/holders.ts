import type { Aws } from "../calls.ts";

const shown = 3;

/** What still uses a network, for people: its interfaces with what they belong to. */
export async function describeHolders({ ec2 }: Aws, filter: { Name: string; Values: string[] }): Promise<string> {
  const { NetworkInterfaces: interfaces = [] } = await ec2.describeNetworkInterfaces({ Filters: [filter] });
  if (interfaces.length === 0) return "something that AWS does not name";
  const names = interfaces.slice(0, shown).map(({ NetworkInterfaceId: id, Description: text, InterfaceType: type }) => {
    const what = text === undefined || text === "" ? type : text;
    return what === undefined ? (id ?? "") : `${id} (${what})`;
  });
  const more = interfaces.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
