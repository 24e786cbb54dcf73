import { decodeProperties, jsonOfTable, type MessageBytes } from '../../broker/index.ts';

/** The properties of a message, under RabbitMQ's names. */
export function propertiesOf({ properties, propertiesStart, propertiesEnd }: MessageBytes): Record<string, unknown> {
  const { headers, ...others } = decodeProperties(properties, propertiesStart, propertiesEnd);
  const shown = Object.entries(others).map(([name, value]) => [
    snakeCase(name),
    typeof value === 'bigint' ? Number(value) : value,
  ]);
  return { ...Object.fromEntries(shown), ...(headers && { headers: jsonOfTable(headers) }) };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
