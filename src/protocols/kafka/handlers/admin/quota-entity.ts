import type { QuotaEntity } from '../../../../broker/index.ts';

/** By Kafka's names, which are the broker's too. */
export const ENTITY_TYPES = ['user', 'client-id', 'ip'] as const;

export type EntityType = (typeof ENTITY_TYPES)[number];

export interface EntityFields {
  readonly entityType: string;
  /** Null for each one that has no quota of its own. */
  readonly entityName: string | null;
}

export function isEntityType(name: string): name is EntityType {
  return (ENTITY_TYPES as readonly string[]).includes(name);
}

export function entityFields(entity: QuotaEntity): EntityFields[] {
  return ENTITY_TYPES.flatMap((entityType) => {
    const entityName = entity[entityType];
    return entityName === undefined ? [] : [{ entityType, entityName }];
  });
}
