import { badRequest } from './errors.ts';

/** A number of the query. Throws 400. */
export function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name}: a whole number is wanted`);
  return Number(text);
}

/** How many are asked for. Throws 400. */
export function limitOf(text: string | undefined, usual: number, max: number): number {
  const limit = numberOf('limit', text) ?? usual;
  if (limit < 1 || limit > max) throw badRequest(`limit: from 1 to ${max}`);
  return limit;
}

/** Milliseconds since the epoch, given as such or as a date of ISO 8601. Throws 400. */
export function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '' || /^\d+$/.test(text)) return numberOf(name, text);
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw badRequest(`${name}: milliseconds since the epoch or a date are wanted`);
  return time;
}
