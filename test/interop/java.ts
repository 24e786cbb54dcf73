import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Outside version control, and kept from run to run. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/kafka-java/', import.meta.url));

/** A tool that has not ended by then hangs. */
const TOOL_TIMEOUT_MS = 60_000;
/** How long a program that was asked to end may go on. */
const STOP_GRACE_MS = 15_000;

/** What is missing on this machine to run Java programs from Maven's repositories; undefined when nothing is. */
export function whatJavaLacks(): string | undefined {
  for (const [command, option] of [
    ['java', '-version'],
    ['mvn', '--version'],
  ] as const)
    if (spawnSync(command, [option], { stdio: 'ignore' }).status !== 0) return `there is no ${command}`;
  return undefined;
}

/** The jars of an artifact and of all that it needs, as a class path; resolved by Maven the first time. Rejects with Maven's words. */
export async function classPath(artifacts: readonly string[]): Promise<string> {
  const folder = join(CACHE, artifacts.join('+').replaceAll(':', '_'));
  if (!existsSync(folder)) await resolveByMaven(artifacts, folder);
  return join(folder, '*');
}

async function resolveByMaven(artifacts: readonly string[], folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const directory = await mkdtemp(join(CACHE, 'resolving-'));
  try {
    const dependencies = artifacts.map((artifact) => {
      const [group, name, version] = artifact.split(':');
      return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
    });
    const pom = join(directory, 'pom.xml');
    await writeFile(
      pom,
      `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>interop</artifactId><version>1</version>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`,
    );
    const jars = join(directory, 'jars');
    const child = spawn('mvn', [
      ...['--batch-mode', '--quiet', '--file', pom],
      ...['dependency:copy-dependencies', `-DoutputDirectory=${jars}`],
    ]);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`Maven does not find ${artifacts.join(', ')}: ${(await said).join('')}`);
    // All of it or nothing, whoever stops in the middle.
    await rename(jars, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test file has been faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Java's programs against one broker. */
export class JavaTools {
  readonly #classPath: string;

  constructor(classPath: string) {
    this.#classPath = classPath;
  }

  /** Runs a program to its end; answers what it wrote on standard output. Rejects when it fails or says nothing for too long. */
  async run(mainClass: string, args: readonly string[], input = ''): Promise<string> {
    const child = this.#spawn(mainClass, args);
    const timer = setTimeout(() => child.kill('SIGKILL'), TOOL_TIMEOUT_MS);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    child.stdin?.end(input);
    const [code] = await once(child, 'close');
    clearTimeout(timer);
    const [output, errors] = await said;
    if (code !== 0) throw new Error(`${mainClass} ${args.join(' ')}: exit code ${code}\n${output}${errors}`);
    return output;
  }

  /** Starts a program that writes one JSON object per line; the end of the test ends it. */
  start<Event>(mainClass: string, args: readonly string[]): JavaProcess<Event> {
    const program = new JavaProcess<Event>(this.#spawn(mainClass, args));
    onTestFinished(() => program.kill());
    return program;
  }

  #spawn(mainClass: string, args: readonly string[]): ChildProcess {
    // Short runs are over before the second compiler has earned what it costs.
    return spawn('java', ['-XX:TieredStopAtLevel=1', '-cp', this.#classPath, mainClass, ...args]);
  }
}

/** A program that tells what happens to it. */
export class JavaProcess<Event> {
  /** All that it has told. */
  readonly events: Event[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    // A full pipe would stop it.
    child.stderr?.resume();
    if (child.stdout !== null) {
      createInterface(child.stdout).on('line', (line) => {
        if (line.startsWith('{')) this.events.push(JSON.parse(line) as Event);
      });
    }
  }

  /** Gives it text on standard input. */
  say(text: string): void {
    this.#child.stdin?.write(text);
  }

  /**
   * Asks it to end, and waits until it has. One that goes on is killed: Kafka's consumer of the new protocol may miss that it was woken up, and polls
   * for ever (seen with 4.3.1).
   */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<void> {
    await this.#ended;
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}
