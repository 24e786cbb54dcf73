/** The ways by which acts come; `broker` for what it does by itself, as by its settings. */
export type AuditProtocol = 'http' | 'amqp' | 'kafka' | 'broker';

/** Who acts, and where from. */
export interface Principal {
  readonly protocol: AuditProtocol;
  /** A user's name, or what a certificate says; undefined for who did not log in. */
  readonly user?: string | undefined;
  readonly address?: string | undefined;
}

/** `refused` for who may not, `failed` for what could not be done. */
export type AuditOutcome = 'done' | 'refused' | 'failed';

/** One administrative act. There is never a secret in it: details are named one by one by whoever records it. */
export interface Act {
  /** What was done: `queue.declare`. */
  readonly act: string;
  /** On what; empty for the broker as a whole. */
  readonly object: string;
  readonly virtualHost?: string | undefined;
  readonly outcome: AuditOutcome;
  /** Why not. */
  readonly reason?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An act as it is kept. */
export interface AuditEntry extends Principal, Act {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** How often the same was done, by the same, since the entry before that says so. */
  readonly repeated?: number;
}

/** With its place among all. */
export interface AuditRecord extends AuditEntry {
  readonly id: number;
}

/** What clients can make long. */
const MAX_TEXT = 1024;
const MAX_DETAILS = 4096;

/** The entry, as far as it is not too long. */
export function bounded(entry: AuditEntry): AuditEntry {
  const { details, ...rest } = entry;
  const texts = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value,
  ]);
  const short = Object.fromEntries(texts) as typeof rest;
  if (details === undefined) return short;
  const fits = JSON.stringify(details).length <= MAX_DETAILS;
  return { ...short, details: fits ? details : { omitted: `more than ${MAX_DETAILS} characters` } };
}
