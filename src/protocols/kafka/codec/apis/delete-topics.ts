import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string, uuid } from '../schema.ts';

/** v4: flexible; v5: error messages; v6: by name or by id. */
export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array({ name: string({ nullable: true, default: null }), topicId: uuid() }, { since: 6, default: [] }),
    topicNames: array(string(), { until: 5, default: [] }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      name: string({ nullableSince: 6 }),
      topicId: uuid({ since: 6 }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: true, default: null }),
    }),
  },
});

export type DeleteTopicsRequest = RequestOf<typeof deleteTopics>;
export type DeleteTopicsResponse = ResponseInput<typeof deleteTopics>;
