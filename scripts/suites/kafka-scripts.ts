import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SLUICE } from './broker.ts';

const ACLS = fileURLToPath(new URL('kafka-acls.ts', import.meta.url));

/** Kafka's scripts that tests call, in the folder `bin` of a directory: topics by the broker's own commands, access-control entries by its client. */
export async function writeKafkaScripts(directory: string): Promise<void> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const topics = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --bootstrap-server) broker=$2; shift ;;
    --topic) topic=$2; shift ;;
    --partitions) options="$options --partitions $2"; shift ;;
    --config) options="$options --config $2"; shift ;;
    --create) verb=create ;;
    --alter) verb=alter ;;
    --delete) verb=delete; options='--yes' ;;
  esac
  shift
done
exec '${process.execPath}' '${SLUICE}' topic "$verb" "$topic" --broker "$broker" $options
`;
  const acls = `#!/bin/sh
exec '${process.execPath}' '${ACLS}' "$@"
`;
  await writeFile(join(bin, 'kafka-topics.sh'), topics, { mode: 0o755 });
  await writeFile(join(bin, 'kafka-acls.sh'), acls, { mode: 0o755 });
}
