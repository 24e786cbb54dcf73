import type { Quota, QuotaEntity } from '../../../broker/index.ts';
import { type DescribeClientQuotasRequest, describeClientQuotas } from '../codec/apis/describe-client-quotas.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { ENTITY_TYPES, type EntityType, entityFields, isEntityType } from './admin/quota-entity.ts';
import { DONE, Refusal, refused } from './admin/refusal.ts';

type Component = DescribeClientQuotasRequest['components'][number];

const EXACT = 0;
const DEFAULT = 1;
const ANY = 2;

/** The quotas of entities that a filter matches (KIP-546). */
export const describeClientQuotasHandler = handler(
  describeClientQuotas,
  ({ components, strict }, context) => {
    try {
      const matches = matcher(components, strict);
      const entries = [...context.broker.quotas.all()].filter(({ entity }) => matches(entity)).map(toFields);
      return { ...DONE, entries };
    } catch (error) {
      return { ...refused(error, context), entries: null };
    }
  },
  { answersMuch: true },
);

function matcher(components: readonly Component[], strict: boolean): (entity: QuotaEntity) => boolean {
  const wanted = new Map<EntityType, Component>();
  for (const component of components) {
    const { entityType } = component;
    if (!isEntityType(entityType))
      throw new Refusal(
        entityType === '' ? KafkaError.INVALID_REQUEST : KafkaError.UNSUPPORTED_VERSION,
        `Unsupported entity type ${entityType}`,
      );
    if (wanted.has(entityType))
      throw new Refusal(
        KafkaError.INVALID_REQUEST,
        `Entity type ${entityType} cannot appear more than once in the filter.`,
      );
    if (
      ![EXACT, DEFAULT, ANY].includes(component.matchType) ||
      (component.matchType === EXACT) !== (component.match !== null)
    )
      throw new Refusal(
        KafkaError.INVALID_REQUEST,
        `Match type ${component.matchType} does not go with the match string`,
      );
    wanted.set(entityType, component);
  }
  if (wanted.has('ip') && wanted.size > 1)
    throw new Refusal(
      KafkaError.INVALID_REQUEST,
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    );
  return (entity) =>
    ENTITY_TYPES.every((type) => {
      const component = wanted.get(type);
      if (component === undefined) return !strict || entity[type] === undefined;
      if (entity[type] === undefined) return false;
      return component.matchType === ANY || entity[type] === component.match;
    });
}

function toFields({ entity, values }: Quota) {
  return { entity: entityFields(entity), values: Object.entries(values).map(([key, value]) => ({ key, value })) };
}
