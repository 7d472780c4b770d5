import type { Repository } from "@aws-sdk/client-ecr";
import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import {
  normalLifecycle,
  optionalRegistryKeys,
  registryInput,
  registryOutputs,
  type RegistryInput,
  type RegistryOutputs,
} from "../ecr/schema.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseArn } from "../ids.ts";
import { defined } from "../json.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { settleName } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { each } from "../paging.ts";
import { normalPolicyText } from "../policy.ts";
import { searchRegions } from "../regions.ts";
import { fromPairs, markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<RegistryInput, RegistryOutputs>;

const forceDeleteTag = `${markPrefix}force-delete`;
const maxNameLength = 256;

/** An ECR repository with its policies. Its id is its ARN. */
export const registry = defineAwsResource<RegistryInput, RegistryOutputs>({
  type: "infra.registry",
  service: "ecr",
  description: "ECR repository",
  input: registryInput,
  outputs: registryOutputs,
  forceNew: ["repository_name", "region", "encryption", "kms_key_arn"],
  resetWhenUnset: [...optionalRegistryKeys],
  settledBy: { repository_name: "repository_name", kms_key_arn: "kms_key_arn" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 15_000,
  timeouts: { create: 300_000, update: 300_000, delete: 300_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const names = { chosen: input.repository_name, base: name, maxLength: maxNameLength, what: "Repository" };
    const settled = await settleName(context, names, async (candidate) => {
      const found = await findRepository(cloud, candidate);
      return found === undefined ? undefined : { tags: await tagsOf(cloud, found), found };
    });
    if (isAlreadyExists(settled)) return settled;
    const made = settled.made ?? (await makeRepository(cloud, settled.name, name, input));
    const { repositoryArn: arn = "" } = made;
    context.partial(arn, { arn, repository_name: settled.name });
    const seen = await awaitThat(context, `repository ${settled.name} to be visible`, () =>
      findRepository(cloud, settled.name),
    );
    await sync(cloud, seen, name, input);
    return asCreated(await describeNow(cloud, settled.name), settled.made === undefined);
  },

  read: (ref, context) => readRepository(ref.id === "" ? ref.name : ref.id, context),

  async update(ref, { name, input }, context) {
    const { cloud, repository } = placeOf(ref.id, context);
    const found = await findRepository(cloud, repository);
    if (found === undefined) return notFound(`Repository "${repository}" does not exist`);
    await sync(cloud, found, name, input);
    return describeNow(cloud, repository);
  },

  async delete(ref, context) {
    const { cloud, repository } = placeOf(ref.id, context);
    const found = await findRepository(cloud, repository);
    if (found === undefined) return notFound();
    const force = (await tagsOf(cloud, found))[forceDeleteTag] === "true";
    try {
      await orAbsent(cloud.ecr.deleteRepository({ repositoryName: repository, force }));
    } catch (error) {
      if (!isAwsError(error, "RepositoryNotEmptyException")) throw error;
      throw new ProviderFailure(
        "validation",
        `Cannot delete repository "${repository}": it holds images; delete them, or apply force_delete: true first`,
        { cause: error },
      );
    }
    return undefined;
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      for await (const repository of repositories(cloud)) {
        if ((await tagsOf(cloud, repository))[tokenTag] === token) return describe(cloud, repository);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  import: (id, context) => readRepository(id, context, { all: true }),

  async *list(context) {
    const cloud = aws(context);
    for await (const repository of repositories(cloud)) yield describe(cloud, repository, { inputs: false });
  },

  async setMarks(ref, marks, context) {
    const { cloud } = placeOf(ref.id, context);
    const tags = toPairs(marks);
    const answer = await orAbsent(cloud.ecr.tagResource({ resourceArn: ref.id, tags }));
    return answer === undefined ? notFound() : undefined;
  },
});

/** From an ARN, from a URI, or from the name of a repository in the provider's region. */
function placeOf(id: string, context: Context): { cloud: Aws; repository: string } {
  const arn = parseArn(id);
  if (arn?.service === "ecr") {
    return { cloud: aws(context, arn.region), repository: arn.resource.replace(/^repository\//, "") };
  }
  const [, region, repository] = /^\d{12}\.dkr\.ecr\.([\w-]+)\.[^/]+\/(.+)$/.exec(id) ?? [];
  return { cloud: aws(context, region), repository: repository ?? id };
}

async function findRepository({ ecr }: Aws, name: string): Promise<Repository | undefined> {
  if (!/^[\d._/a-z-]{2,256}$/.test(name)) return undefined;
  return (await orAbsent(ecr.describeRepositories({ repositoryNames: [name] })))?.repositories?.[0];
}

async function tagsOf({ ecr }: Aws, { repositoryArn = "" }: Repository): Promise<Tags> {
  return fromPairs((await orAbsent(ecr.listTagsForResource({ resourceArn: repositoryArn })))?.tags);
}

async function makeRepository(cloud: Aws, repository: string, name: string, input: RegistryInput): Promise<Repository> {
  const { ecr, context } = cloud;
  const tags = { ...creationTags(context, name, input.tags), ...marksOf(input) };
  try {
    const { repository: made = {} } = await ecr.createRepository({
      repositoryName: repository,
      imageTagMutability: input.immutable_tags ? "IMMUTABLE" : "MUTABLE",
      imageScanningConfiguration: { scanOnPush: input.scan_on_push },
      encryptionConfiguration: {
        encryptionType: input.encryption,
        ...(input.kms_key_arn === undefined ? {} : { kmsKey: input.kms_key_arn }),
      },
      tags: toPairs(tags),
    });
    return made;
  } catch (error) {
    // An earlier attempt of this action may have made it after it was looked for.
    const exists = isAwsError(error, "RepositoryAlreadyExistsException");
    const found = exists ? await findRepository(cloud, repository) : undefined;
    if (found === undefined || (await tagsOf(cloud, found))[tokenTag] !== context.clientToken) throw error;
    return found;
  }
}

function marksOf(input: RegistryInput): Record<string, string> {
  return { ...managesMark(input, optionalRegistryKeys), [forceDeleteTag]: String(input.force_delete) };
}

async function sync(cloud: Aws, live: Repository, name: string, input: RegistryInput): Promise<void> {
  const { ecr, context } = cloud;
  const { repositoryName = "", repositoryArn = "" } = live;
  const tags = await tagsOf(cloud, live);
  const managed = managedKeys(tags, optionalRegistryKeys);
  const wants = (key: (typeof optionalRegistryKeys)[number]): boolean =>
    input[key] !== undefined || managed.includes(key);

  const mutability = input.immutable_tags ? "IMMUTABLE" : "MUTABLE";
  if (live.imageTagMutability !== mutability) {
    await ecr.putImageTagMutability({ repositoryName, imageTagMutability: mutability });
  }
  if ((live.imageScanningConfiguration?.scanOnPush ?? false) !== input.scan_on_push) {
    const imageScanningConfiguration = { scanOnPush: input.scan_on_push };
    await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration });
  }
  if (wants("lifecycle_policy")) {
    const { lifecycle_policy: policy } = input;
    const now = await lifecycleOf(cloud, repositoryName);
    if (policy === undefined && now !== undefined) await orAbsent(ecr.deleteLifecyclePolicy({ repositoryName }));
    if (policy !== undefined && policy !== now) {
      await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policy });
    }
  }
  if (wants("repository_policy")) {
    const { repository_policy: policy } = input;
    const now = await policyOf(cloud, repositoryName);
    if (policy === undefined && now !== undefined) await orAbsent(ecr.deleteRepositoryPolicy({ repositoryName }));
    if (policy !== undefined && policy !== now) await ecr.setRepositoryPolicy({ repositoryName, policyText: policy });
  }
  const { set, remove } = tagChanges(tags, { ...currentTags(context, name, input.tags, tags), ...marksOf(input) });
  if (Object.keys(set).length > 0) await ecr.tagResource({ resourceArn: repositoryArn, tags: toPairs(set) });
  if (remove.length > 0) await ecr.untagResource({ resourceArn: repositoryArn, tagKeys: remove });
}

async function lifecycleOf({ ecr }: Aws, repositoryName: string): Promise<string | undefined> {
  const text = (await orAbsent(ecr.getLifecyclePolicy({ repositoryName })))?.lifecyclePolicyText;
  return text === undefined ? undefined : (normalLifecycle(text) ?? text);
}

async function policyOf({ ecr }: Aws, repositoryName: string): Promise<string | undefined> {
  const text = (await orAbsent(ecr.getRepositoryPolicy({ repositoryName })))?.policyText;
  return text === undefined ? undefined : normalPolicyText(text);
}

function repositories({ ecr }: Aws): AsyncGenerator<Repository> {
  return each(async (token) => {
    const page = await ecr.describeRepositories(token === undefined ? {} : { nextToken: token });
    return [page.repositories, page.nextToken] as const;
  });
}

async function readRepository(
  id: string,
  context: Context,
  options: { all?: boolean } = {},
): Promise<State | NotFound> {
  const { cloud, repository } = placeOf(id, context);
  const found = await findRepository(cloud, repository);
  return found === undefined ? notFound() : describe(cloud, found, options);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, repository: string): Promise<State> {
  const found = await findRepository(cloud, repository);
  if (found !== undefined) return describe(cloud, found, { inputs: false });
  throw new ProviderFailure("unknown", `Repository "${repository}" was deleted while it was changed`);
}

async function describe(
  cloud: Aws,
  found: Repository,
  options: { inputs?: boolean; all?: boolean } = {},
): Promise<State> {
  const { repositoryArn: arn = "", repositoryName: name = "", repositoryUri: uri = "", registryId = "" } = found;
  const { encryptionType = "AES256", kmsKey } = found.encryptionConfiguration ?? {};
  const tags = await tagsOf(cloud, found);
  const outputs = defined({
    arn,
    repository_name: name,
    uri,
    endpoint: uri,
    registry_id: registryId,
    kms_key_arn: kmsKey,
    region: cloud.region,
    tags_all: tags,
  });
  const state = {
    id: arn,
    name: logicalName(tags, name),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: outputs as RegistryOutputs,
  };
  if (options.inputs === false) return state;
  const managed = options.all === true ? optionalRegistryKeys : managedKeys(tags, optionalRegistryKeys);
  const inputs = defined({
    repository_name: name,
    region: cloud.region,
    immutable_tags: found.imageTagMutability === "IMMUTABLE",
    scan_on_push: found.imageScanningConfiguration?.scanOnPush ?? false,
    encryption: encryptionType,
    kms_key_arn: kmsKey,
    lifecycle_policy: managed.includes("lifecycle_policy") ? await lifecycleOf(cloud, name) : undefined,
    repository_policy: managed.includes("repository_policy") ? await policyOf(cloud, name) : undefined,
    force_delete: tags[forceDeleteTag] === "true",
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  });
  return { ...state, inputs: inputs as Partial<RegistryInput> };
}
