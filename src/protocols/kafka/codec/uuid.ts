/** Kafka's 'no id'. UUIDs are lowercase canonical strings everywhere outside the wire. */
export const ZERO_UUID = '00000000-0000-0000-0000-000000000000';
