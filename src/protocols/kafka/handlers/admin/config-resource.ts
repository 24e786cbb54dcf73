import type { ConfigChange } from '../../../../broker/index.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import type { RequestContext } from '../../handler.ts';
import { type ConfigTarget, configTarget } from './config-target.ts';
import { DONE, type Outcome, Refusal, refused } from './refusal.ts';

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

/**
 * What AlterConfigs and IncrementalAlterConfigs have in common: changes each resource on its own, or only says whether it
 * could be changed. `changeOf` says how its settings change; it may throw a `Refusal`, then or when it is applied.
 */
export async function alterResources<R extends Resource>(
  { resources, validateOnly }: { readonly resources: readonly R[]; readonly validateOnly: boolean },
  context: RequestContext,
  changeOf: (resource: R, target: ConfigTarget) => ConfigChange,
): Promise<(Outcome & Pick<Resource, 'resourceType' | 'resourceName'>)[]> {
  const times = new Map<string, number>();
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType} ${resourceName}`;
  for (const resource of resources) times.set(keyOf(resource), (times.get(keyOf(resource)) ?? 0) + 1);
  const responses = [];
  for (const resource of resources) {
    const { resourceType, resourceName, configs } = resource;
    let outcome = DONE;
    let target: ConfigTarget | undefined;
    try {
      if ((times.get(keyOf(resource)) ?? 0) > 1)
        throw new Refusal(KafkaError.INVALID_REQUEST, 'Each resource must appear at most once.');
      if (new Set(configs.map(({ name }) => name)).size < configs.length)
        throw new Refusal(KafkaError.INVALID_REQUEST, 'Error due to duplicate config keys');
      target = configTarget(resource, context);
      const change = changeOf(resource, target);
      if (validateOnly) target.check(change);
      else await target.configure(change);
    } catch (error) {
      outcome = refused(
        error,
        context,
        target?.errorNumbers ?? { 'invalid-argument': KafkaError.INVALID_TOPIC_EXCEPTION },
      );
    }
    responses.push({ ...outcome, resourceType, resourceName });
  }
  return responses;
}

/** Refuses values that are missing. */
export function checkNoNulls(configs: Resource['configs']): void {
  const missing = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length > 0)
    throw new Refusal(KafkaError.INVALID_REQUEST, `Null value not supported for : ${missing.join(', ')}`);
}
