import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, float64, int16, int32, string } from '../schema.ts';

/** KIP-546. An entity's null name is its type's default. */
export const alterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({
      entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
      ops: array({ key: string(), value: float64(), remove: bool() }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    entries: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
    }),
  },
});

export type AlterClientQuotasRequest = RequestOf<typeof alterClientQuotas>;
export type AlterClientQuotasResponse = ResponseInput<typeof alterClientQuotas>;
