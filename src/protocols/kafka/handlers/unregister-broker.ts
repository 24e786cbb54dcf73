import { unregisterBroker } from '../codec/apis/unregister-broker.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

/** Only this broker is registered, and it is there as long as it runs. */
export const unregisterBrokerHandler = handler(unregisterBroker, ({ brokerId }, { broker }) =>
  brokerId === broker.settings.nodeId
    ? { errorCode: KafkaError.INVALID_REQUEST, errorMessage: `Broker ${brokerId} is running, and the only one.` }
    : { errorCode: KafkaError.BROKER_ID_NOT_REGISTERED, errorMessage: `Broker ID ${brokerId} is not registered` },
);
