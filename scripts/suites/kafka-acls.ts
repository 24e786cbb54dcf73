/*
 * What tests ask of `kafka-acls.sh`: entries about one topic, by its options. One operation and one principal at a time.
 *
 *     node scripts/suites/kafka-acls.ts --bootstrap-server HOST:PORT --add|--remove --allow-principal|--deny-principal NAME --operation NAME --topic NAME
 */
import { parseArgs } from 'node:util';
import { KafkaClient, throwOnError } from '../../src/client/index.ts';
import { createAcls } from '../../src/protocols/kafka/codec/apis/create-acls.ts';
import { deleteAcls } from '../../src/protocols/kafka/codec/apis/delete-acls.ts';

/** As Kafka's protocol numbers them (org.apache.kafka.common.acl). */
const OPERATIONS: Readonly<Record<string, number>> = { All: 2, Read: 3, Write: 4, Describe: 8 };
const DENY = 2;
const ALLOW = 3;
const TOPIC = 2;

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({
  options: {
    ...{ 'bootstrap-server': text, operation: text, topic: text },
    ...{ add: flag, remove: flag, force: flag },
    ...{ 'allow-principal': text, 'deny-principal': text, 'allow-host': text, 'deny-host': text },
  },
});
const denied = values['deny-principal'] !== '';
const operation = OPERATIONS[values.operation];
if (operation === undefined) throw new Error(`no operation of those that are known: ${values.operation}`);
const entry = {
  principal: values['deny-principal'] || values['allow-principal'],
  host: values['deny-host'] || values['allow-host'] || '*',
  operation,
  permissionType: denied ? DENY : ALLOW,
};
const [host = '', port = ''] = values['bootstrap-server'].split(':');
const client = await KafkaClient.connect({ host, port: Number(port) });
try {
  const { principal, host: from, ...rest } = entry;
  const results = values.remove
    ? (
        await client.request(deleteAcls, {
          filters: [
            {
              ...rest,
              resourceTypeFilter: TOPIC,
              resourceNameFilter: values.topic,
              principalFilter: principal,
              hostFilter: from,
            },
          ],
        })
      ).filterResults
    : (await client.request(createAcls, { creations: [{ ...entry, resourceType: TOPIC, resourceName: values.topic }] }))
        .results;
  for (const { errorCode, errorMessage } of results) throwOnError(errorCode, values.topic, errorMessage);
} finally {
  await client.close();
}
