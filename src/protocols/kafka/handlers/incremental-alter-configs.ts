import type { ConfigValues } from '../../../broker/index.ts';
import {
  type IncrementalAlterConfigsRequest,
  incrementalAlterConfigs,
} from '../codec/apis/incremental-alter-configs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { alterResources, checkNoNulls } from './admin/config-resource.ts';
import type { ConfigTarget } from './admin/config-target.ts';
import { Refusal } from './admin/refusal.ts';

type Config = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

/** Changes some of what is set for a resource, all of it or nothing (KIP-339). */
export const incrementalAlterConfigsHandler = handler(incrementalAlterConfigs, async (request, context) => ({
  responses: await alterResources(request, context, ({ configs }, target) => {
    checkNoNulls(configs.filter(({ configOperation }) => configOperation !== DELETE));
    return (own) => configs.reduce((config, change) => changed(config, change, target), own);
  }),
}));

function changed(own: ConfigValues, { name, configOperation, value }: Config, target: ConfigTarget): ConfigValues {
  switch (configOperation) {
    case SET:
      return { ...own, [name]: value ?? '' };
    case DELETE: {
      const { [name]: _, ...rest } = own;
      return rest;
    }
    case APPEND:
    case SUBTRACT: {
      if (target.typeOf(name) !== 'list') {
        const operation = configOperation === APPEND ? 'APPEND' : 'SUBTRACT';
        throw new Refusal(KafkaError.INVALID_CONFIG, `Can't ${operation} to key ${name} because its type is not LIST.`);
      }
      const present = parts(target.value(name, own));
      const given = parts(value ?? '');
      const list =
        configOperation === APPEND
          ? [...new Set([...present, ...given])]
          : present.filter((part) => !given.includes(part));
      return { ...own, [name]: list.join(',') };
    }
    default:
      throw new Refusal(KafkaError.INVALID_REQUEST, `Unknown operations type ${configOperation}`);
  }
}

function parts(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
