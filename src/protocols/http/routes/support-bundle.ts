import { arch, availableParallelism, freemem, loadavg, platform, release, totalmem, uptime } from 'node:os';
import { promisify } from 'node:util';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { gzip } from 'node:zlib';
import type { Broker, DefinitionsInput } from '../../../broker/index.ts';
import { recordAct } from '../audit.ts';
import type { Answer, Call, Route } from '../route.ts';
import { getAnswer } from '../route.ts';
import { type ArchivedFile, tar } from '../tar.ts';
import { newestAudit } from './audit.ts';
import { newestLines } from './logs.ts';
import { overview } from './overview.ts';

const MAX_LOG_LINES = 5_000;
const MAX_AUDIT_ENTRIES = 1_000;
/** Logs that are listed one by one, the largest first. */
const MAX_LOGS = 1_000;

const zip = promisify(gzip);

export const supportRoutes: readonly Route[] = [
  getAnswer(
    '/support-bundle',
    { access: 'administrator', summary: 'What helps others to help, without secrets: a .tar.gz' },
    async (call) => bundle(call),
  ),
];

async function bundle(call: Call): Promise<Answer> {
  const { broker } = call;
  recordAct(call, { act: 'support-bundle.make', object: '', outcome: 'done' });
  const now = broker.environment.clock.now();
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  const directory = `sluice-support-${stamp}`;
  const files = [
    json('version.json', { ...about(call), time: new Date(now).toISOString() }),
    json('settings.json', call.server.settings.all()),
    json('definitions.json', withoutHashes(broker.exportDefinitions())),
    json('overview.json', overview(call)),
    json('memory.json', memory(broker)),
    json('storage.json', storage(call)),
    json('listeners.json', call.server.listeners()),
    lines('log.jsonl', newestLines(call, MAX_LOG_LINES).reverse()),
    lines('audit.jsonl', (await newestAudit(call, MAX_AUDIT_ENTRIES)).reverse()),
  ].map((file) => ({ ...file, name: `${directory}/${file.name}` }));
  return {
    status: 200,
    bytes: await zip(tar(files, now)),
    headers: {
      'content-type': 'application/gzip',
      'content-disposition': `attachment; filename="${directory}.tar.gz"`,
      'cache-control': 'no-store',
    },
  };
}

function about({ broker, server }: Call) {
  const { version, versions, uptime: running, execArgv } = process;
  return {
    product: server.product,
    version: server.version,
    cluster: broker.clusterId,
    node: { version, v8: versions.v8, openssl: versions.openssl, uptimeSeconds: running(), execArgv },
    system: {
      ...{ platform: platform(), release: release(), arch: arch(), processors: availableParallelism() },
      ...{ load: loadavg(), totalBytes: totalmem(), freeBytes: freemem(), uptimeSeconds: uptime() },
    },
  };
}

function memory({ environment, memoryAlarm: { raised, limitBytes } }: Broker) {
  return {
    alarm: { raised, limitBytes, usedBytes: environment.memory.used() },
    process: process.memoryUsage(),
    heap: getHeapStatistics(),
    spaces: getHeapSpaceStatistics(),
  };
}

function storage({ broker, server: { disk } }: Call) {
  const partitions = Array.from(broker.streams.all()).flatMap(({ name, partitions: all }) =>
    all.map(({ index, log }) => ({
      ...{ stream: name, partition: index, startOffset: log.startOffset, nextOffset: log.nextOffset },
      ...{ highWatermark: log.highWatermark, bytes: log.sizeBytes, segments: log.segments.length },
    })),
  );
  const largest = partitions.sort((a, b) => b.bytes - a.bytes).slice(0, MAX_LOGS);
  return {
    directory: disk?.directory ?? null,
    shards: broker.shards.map((shard) => ({
      ...{ epoch: shard.epoch, full: shard.full, overloaded: shard.overloaded, idle: shard.idle, usage: shard.usage },
    })),
    partitions: { total: partitions.length, bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0), largest },
  };
}

/** Definitions have what passwords can be checked by, and so be guessed from. */
function withoutHashes({ users = [], ...others }: DefinitionsInput): unknown {
  return { ...others, users: users.map(({ name, tags, limits }) => ({ name, tags, limits })) };
}

function json(name: string, value: unknown): ArchivedFile {
  return { name, bytes: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) };
}

function lines(name: string, values: readonly unknown[]): ArchivedFile {
  return { name, bytes: Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join('')) };
}
