import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  MIN_SCRAM_ITERATIONS,
  SALT_BYTES,
  type ScramMechanism,
  saltPassword,
} from '../../src/broker/security/scram.ts';
import { KafkaClient, throwOnError } from '../../src/client/index.ts';
import { parseEndpoint } from '../../src/config/index.ts';
import { alterUserScramCredentials } from '../../src/protocols/kafka/codec/apis/alter-user-scram-credentials.ts';

/** Somebody whom a suite logs in as. */
export interface SuiteUser {
  readonly name: string;
  readonly password: string;
  /** Passwords that are others with SCRAM, by mechanism. */
  readonly scram?: Partial<Readonly<Record<ScramMechanism, string>>>;
}

/** Their numbers in Kafka's protocol. */
const MECHANISMS: Readonly<Record<ScramMechanism, number>> = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 };

/** Writes a file of definitions in which the users are; answers its path. */
export async function writeUsers(users: readonly SuiteUser[], directory: string): Promise<string> {
  const file = join(directory, 'definitions.json');
  await writeFile(file, JSON.stringify({ users: users.map(({ name, password }) => ({ name, password, tags: [] })) }));
  return file;
}

/** Gives the users of a running broker the passwords that SCRAM has for itself. */
export async function setScramPasswords(users: readonly SuiteUser[], listener: string): Promise<void> {
  const passwords = users.flatMap(({ name, scram = {} }) =>
    Object.entries(scram).map(([mechanism, password]) => ({ name, mechanism: mechanism as ScramMechanism, password })),
  );
  if (passwords.length === 0) return;
  const { host, port } = parseEndpoint(listener);
  const client = await KafkaClient.connect({ host, port });
  try {
    // One at a time: of a user one credential is altered by a request.
    for (const { name, mechanism, password } of passwords) {
      const salt = randomBytes(SALT_BYTES);
      const iterations = MIN_SCRAM_ITERATIONS;
      const saltedPassword = await saltPassword(mechanism, password, salt, iterations);
      const upsertions = [{ name, mechanism: MECHANISMS[mechanism], iterations, salt, saltedPassword }];
      const { results } = await client.request(alterUserScramCredentials, { deletions: [], upsertions });
      for (const { errorCode, errorMessage } of results)
        throwOnError(errorCode, `the password of ${name}`, errorMessage);
    }
  } finally {
    await client.close();
  }
}
