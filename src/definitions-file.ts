import { type Broker, type Definitions, parseDefinitions } from './broker/index.ts';
import type { FileSystem } from './environment/environment.ts';
import { BrokerError, toBrokerError } from './errors.ts';
import { readFile } from './read-file.ts';

/** Definitions of a file, to be imported when the broker is there. */
export interface DefinitionsFile {
  readonly definitions: Definitions;
  /** Rejects with the file's name before what is wrong with it. */
  importInto(broker: Broker): Promise<void>;
}

/** Throws `invalid-configuration`, which names the file, and the place in it. */
export async function readDefinitionsFile(files: FileSystem, path: string): Promise<DefinitionsFile> {
  const naming = (thrown: unknown): BrokerError => {
    const { code, message } = toBrokerError(thrown);
    return new BrokerError(code, `${path}: ${message}`, { cause: thrown });
  };
  const bytes = await readFile(files, path).catch((error: unknown) => {
    const why = toBrokerError(error).code === 'not-found' ? 'there is no such file' : toBrokerError(error).message;
    throw new BrokerError('invalid-configuration', `cannot read ${path}: ${why}; check the setting 'definitions'`);
  });
  try {
    const definitions = parseDefinitions(parseJson(bytes));
    return {
      definitions,
      importInto: (broker) =>
        broker.importDefinitions(definitions).catch((error: unknown) => {
          throw naming(error);
        }),
    };
  } catch (error) {
    throw naming(error);
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    // Some editors write a byte order mark.
    return JSON.parse(bytes.toString().replace(/^\ufeff/, ''));
  } catch (error) {
    const { message } = error as SyntaxError;
    throw new BrokerError('invalid-configuration', `it is not JSON: ${message}`, { cause: error });
  }
}
