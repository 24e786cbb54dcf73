import { changeProperties, decodeProperties, EMPTY_TABLE, long, MessageBytes } from '../../broker/index.ts';

const DELIVERY_COUNT = 'x-delivery-count';

/** The message as a quorum queue delivers it: from the second time on, a header says how often it was delivered before. */
export function withDeliveryCount(message: MessageBytes, count: number): MessageBytes {
  if (count === 0) return message;
  const { properties, propertiesStart, propertiesEnd } = message;
  const { headers = EMPTY_TABLE } = decodeProperties(properties, propertiesStart, propertiesEnd);
  const counted = Object.assign(new MessageBytes(), message);
  counted.properties = changeProperties(properties, propertiesStart, propertiesEnd, {
    headers: new Map([...headers, [DELIVERY_COUNT, long(count)]]),
  });
  counted.propertiesStart = 0;
  counted.propertiesEnd = counted.properties.length;
  return counted;
}
