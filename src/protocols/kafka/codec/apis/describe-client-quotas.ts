import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, float64, int8, int16, int32, string } from '../schema.ts';

/** Match types: 0 exact name, 1 default, 2 any name (KIP-546). */
export const describeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    components: array({ entityType: string(), matchType: int8(), match: string({ nullable: true }) }),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    entries: array(
      {
        entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
        values: array({ key: string(), value: float64() }),
      },
      { nullable: true },
    ),
  },
});

export type DescribeClientQuotasRequest = RequestOf<typeof describeClientQuotas>;
export type DescribeClientQuotasResponse = ResponseInput<typeof describeClientQuotas>;
