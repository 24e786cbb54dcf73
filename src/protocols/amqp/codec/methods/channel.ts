import { method } from '../method-schema.ts';

/** Class 20. */
export const channel = {
  'channel.open': method(20, 10, { outOfBand: 'unused short string' }),
  'channel.open-ok': method(20, 11, { channelId: 'unused long string' }),
  'channel.flow': method(20, 20, { active: 'bit' }),
  'channel.flow-ok': method(20, 21, { active: 'bit' }),
  'channel.close': method(20, 40, {
    replyCode: 'short',
    replyText: 'short string',
    classId: 'short',
    methodId: 'short',
  }),
  'channel.close-ok': method(20, 41, {}),
} as const;
