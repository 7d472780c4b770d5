/**
 * Do the Markdown files say what is there? Every relative link leads to a file and, with #, to a heading of it; every
 * `npm run x` is a script of a package around the file; docs/decisions/README.md lists every decision once. Exit 1 lists what is wrong.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** One line for each problem in the Markdown files that git knows or would add. Throws where there is none. */
export async function checkDocs(root: string): Promise<{ files: number; problems: string[] }> {
  const git = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.md"];
  const { stdout } = await promisify(execFile)("git", git, { cwd: root });
  const files = stdout.split("\n").filter((file) => file !== "" && existsSync(join(root, file)));
  if (files.length === 0) throw new Error(`Cannot check the documents of "${root}": found none`);
  const problems: string[] = [];
  for (const file of files) {
    const text = await readFile(join(root, file), "utf8");
    problems.push(...(await checkLinks(root, file, text)), ...(await checkScripts(root, file, text)));
  }
  return { files: files.length, problems: [...problems, ...(await checkDecisions(root))] };
}

async function checkLinks(root: string, file: string, text: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [, link = ""] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path = "", anchor] = link.split("#", 2);
    const target = path === "" ? join(root, file) : resolve(root, dirname(file), path);
    if (!existsSync(target)) problems.push(`${file}: links to ${link}, which does not exist`);
    else if (anchor !== undefined && !headingsOf(await readFile(target, "utf8")).includes(anchor)) {
      problems.push(`${file}: links to ${link}, which has no such heading`);
    }
  }
  return problems;
}

/** Headings as anchors, the way GitHub makes them. */
function headingsOf(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}

async function checkScripts(root: string, file: string, text: string): Promise<string[]> {
  const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
  const scripts = named.length === 0 ? new Set() : await scriptsAround(root, file);
  return named.filter((name) => !scripts.has(name)).map((name) => `${file}: says npm run ${name}, which is no script`);
}

/** The scripts of every package that the file lies in. */
async function scriptsAround(root: string, file: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const text = await readFile(join(root, folder, "package.json"), "utf8").catch(() => "{}");
    for (const name of Object.keys((JSON.parse(text) as { scripts?: object }).scripts ?? {})) names.add(name);
    if (folder === ".") return names;
  }
}

async function checkDecisions(root: string): Promise<string[]> {
  const folder = join(root, "docs/decisions");
  const decisions = (await readdir(folder)).filter((name) => /^\d{4}-.+\.md$/.test(name));
  const index = await readFile(join(folder, "README.md"), "utf8");
  const numbers = decisions.map((name) => name.slice(0, 4));
  return [
    ...decisions
      .filter((name) => index.split(`(${name})`).length !== 2)
      .map(
        (name) => `docs/decisions/README.md: lists ${name} ${index.split(`(${name})`).length - 1} times, expected once`,
      ),
    ...numbers
      .filter((number, at) => numbers.indexOf(number) !== at)
      .map((number) => `docs/decisions: two decisions are numbered ${number}`),
  ];
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, "");
}

function withoutFences(text: string): string {
  return text.replace(/^ *(```|~~~)[\s\S]*?^ *\1/gm, "");
}

if (import.meta.main) {
  const { files, problems } = await checkDocs(fileURLToPath(new URL("..", import.meta.url)));
  for (const problem of problems) console.error(problem);
  console.log(`docs: ${files} files, ${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
}
