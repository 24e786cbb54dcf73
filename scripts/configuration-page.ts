// Makes docs/configuration.md from the schema: npm run docs.
import { writeFileSync } from 'node:fs';
import { SUPPORTED_PROTOCOLS, USUAL_PORTS } from '../src/config/endpoint.ts';
import { LISTENER_SETTINGS } from '../src/config/listener.ts';
import { SECTIONS, type Section, type Setting } from '../src/config/setting.ts';

const INTRODUCTION = `# Configuration

<!-- Made from src/config/schema.ts by \`npm run docs\`: change it there. -->

Everything has a default, so that \`sluice start\` runs without any configuration. What differs can be said in three places,
of which the first that says it wins:

1. **Flags** of \`sluice start\`, for what is changed most: \`--listen\`, \`--advertise\`, \`--data\`, \`--storage\`, \`--log-level\`.
2. **Environment variables**: \`SLUICE_\` and the setting's path in capitals. Lists are separated by commas; an empty variable
   counts as not set.
3. **A file** in YAML, named by \`--config\`:

   \`\`\`yaml
   listeners:
     - kafka://0.0.0.0:9092
   advertise:
     - kafka://broker.example.com:9092
   storage:
     directory: /var/lib/sluice
   kafka:
     numPartitions: 6
     topicDefaults:
       retention.ms: 86400000
   \`\`\`

A name that is no setting is refused, in the file as in the environment, with the name that was probably meant.
Sizes are in bytes and times in milliseconds, as the names say. Settings are read when the broker starts.`;

const LISTENERS = `## Listeners

In the file, a listener may have settings of its own; what it does not say is as for all:

\`\`\`yaml
listeners:
  - kafka://127.0.0.1:9092
  - url: kafka+tls://0.0.0.0:9093
    advertise: broker.example.com:9093
    sasl: required
    saslMechanisms: [SCRAM-SHA-512]
  - url: kafka+tls://0.0.0.0:9094
    sasl: 'off'
    principalMappingRules: RULE:^CN=(.*?),OU=services.*$/$1/
    tls:
      ca: /etc/sluice/services.pem
      clientCertificates: required
\`\`\`

It can have ${LISTENER_SETTINGS.map((name) => `\`${name}\``).join(', ')}: those of [\`kafka\`](#kafka), [\`amqp\`](#amqp) and [\`tls\`](#tls) by
the same names, and \`advertise\` as \`HOST:PORT\`. Kafka: \`listener.name.NAME.…\`.`;

export function configurationPage(): string {
  const protocols = SUPPORTED_PROTOCOLS.map((protocol) => `\`${protocol}\` (usually port ${USUAL_PORTS[protocol]})`);
  const parts = [
    INTRODUCTION,
    ...SECTIONS.map(sectionPart),
    LISTENERS,
    `## Protocols\n\nThis version speaks: ${protocols.join(', ')}.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionPart({ path, description, settings }: Section): string {
  const heading = path.length === 0 ? '## At the top' : `## \`${path.join('.')}\``;
  const rows = settings.map(
    (setting) =>
      `| \`${setting.path.at(-1)}\` | ${valuesOf(setting)} | ${defaultOf(setting)} | ${setting.description} |`,
  );
  const variables = settings.map(({ variable }) => `\`${variable}\``).join(', ');
  const table = ['| setting | values | default | |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return [heading, description, table, `In the environment: ${variables}.`].filter((part) => part !== '').join('\n\n');
}

function valuesOf({ kind, choices, minimum, maximum }: Setting): string {
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ');
  if (kind === 'boolean') return '`true`, `false`';
  if (kind !== 'number') return kind;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? 'up' : `to ${maximum}`;
  return `${minimum ?? 0} ${to}`;
}

function defaultOf({ name, kind, default: value }: Setting): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((each) => `\`${each}\``).join(', ');
  const exact = `\`${value}\``;
  return kind === 'number' && /bytes(PerConnection)?$/i.test(name) ? `${exact}${inBinary(Number(value))}` : exact;
}

/** 67108864 as ' (64 MiB)', where it comes out even. */
function inBinary(bytes: number): string {
  const units: [number, string][] = [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ];
  const unit = units.find(([size]) => bytes >= size && bytes % size === 0);
  return unit === undefined ? '' : ` (${bytes / unit[0]} ${unit[1]})`;
}

if (import.meta.main) writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
