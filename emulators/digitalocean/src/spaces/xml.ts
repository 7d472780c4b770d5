const head = '<?xml version="1.0" encoding="UTF-8"?>';

/** A tree of elements: a list repeats its element. */
export type Xml = string | number | boolean | { readonly [name: string]: Xml | readonly Xml[] | undefined };

export function toXml(root: string, value: Xml): string {
  return `${head}${element(root, value)}`;
}

function element(name: string, value: Xml | readonly Xml[] | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((each: Xml) => element(name, each)).join("");
  if (typeof value !== "object") return `<${name}>${escape(String(value))}</${name}>`;
  const inside = Object.entries(value as Readonly<Record<string, Xml | readonly Xml[] | undefined>>).map(
    ([key, each]) => element(key, each),
  );
  return `<${name}>${inside.join("")}</${name}>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The text of every element of that name, wherever it is. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`, "g"))].map(([, text = ""]) =>
    unescape(text),
  );
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
