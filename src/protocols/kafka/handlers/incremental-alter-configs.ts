import { configValue, STREAM_CONFIG_DEFINITIONS } from '../../../broker/index.ts';
import {
  type IncrementalAlterConfigsRequest,
  incrementalAlterConfigs,
} from '../codec/apis/incremental-alter-configs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { alterResources, checkNoNulls, type OwnConfig } from './admin/config-resource.ts';
import { Refusal } from './admin/refusal.ts';

type Config = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

/** Changes some of what is set for a topic, all of it or nothing (KIP-339). */
export const incrementalAlterConfigsHandler = handler(incrementalAlterConfigs, async (request, context) => ({
  responses: await alterResources(request, context, ({ configs }) => {
    checkNoNulls(configs.filter(({ configOperation }) => configOperation !== DELETE));
    const { defaults } = context.broker.streams;
    return (own) => configs.reduce((config, change) => changed(config, change, defaults), own);
  }),
}));

function changed(own: OwnConfig, { name, configOperation, value }: Config, defaults: OwnConfig): OwnConfig {
  switch (configOperation) {
    case SET:
      return { ...own, [name]: value ?? '' };
    case DELETE: {
      const { [name]: _, ...rest } = own;
      return rest;
    }
    case APPEND:
    case SUBTRACT: {
      if (STREAM_CONFIG_DEFINITIONS.get(name)?.type !== 'list') {
        const operation = configOperation === APPEND ? 'APPEND' : 'SUBTRACT';
        throw new Refusal(KafkaError.INVALID_CONFIG, `Can't ${operation} to key ${name} because its type is not LIST.`);
      }
      const present = parts(configValue(name, own, defaults));
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
