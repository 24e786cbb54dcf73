import type { QuotaChange, QuotaEntity } from '../../../broker/index.ts';
import { type AlterClientQuotasRequest, alterClientQuotas } from '../codec/apis/alter-client-quotas.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { type EntityFields, isEntityType } from './admin/quota-entity.ts';
import { DONE, type Outcome, Refusal, refused } from './admin/refusal.ts';

type Entry = AlterClientQuotasRequest['entries'][number];

/** Sets and removes quotas, each entity's on its own, or only says whether that could be done (KIP-546). */
export const alterClientQuotasHandler = handler(alterClientQuotas, async ({ entries, validateOnly }, context) => {
  const { quotas } = context.broker;
  const alter = async (entry: Entry): Promise<Outcome> => {
    try {
      const change = changeOf(entry);
      if (validateOnly) quotas.check(change);
      else await quotas.alter([change]);
      return DONE;
    } catch (error) {
      return refused(error, context, { 'invalid-argument': KafkaError.INVALID_REQUEST });
    }
  };
  return {
    entries: await Promise.all(entries.map(async (entry) => ({ ...(await alter(entry)), entity: entry.entity }))),
  };
});

function changeOf({ entity, ops }: Entry): QuotaChange {
  const values: Record<string, number | null> = {};
  for (const { key, value, remove } of ops) {
    if (Object.hasOwn(values, key)) throw new Refusal(KafkaError.INVALID_REQUEST, `Duplicate quota key ${key}`);
    values[key] = remove ? null : value;
  }
  return { entity: entityOf(entity), values };
}

function entityOf(fields: readonly EntityFields[]): QuotaEntity {
  const entity: Record<string, string | null> = {};
  for (const { entityType, entityName } of fields) {
    if (!isEntityType(entityType))
      throw new Refusal(KafkaError.INVALID_REQUEST, `Unhandled client quota entity type: ${entityType}`);
    if (Object.hasOwn(entity, entityType))
      throw new Refusal(
        KafkaError.INVALID_REQUEST,
        `Invalid client quota entity, duplicate entity entry ${entityType}`,
      );
    entity[entityType] = entityName;
  }
  return entity;
}
