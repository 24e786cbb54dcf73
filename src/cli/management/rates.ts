import type { Cell } from '../output.ts';

/** Events a second, as the API tells them; unknown where it does not. */
export function rate(value: unknown): Cell {
  return typeof value === 'number' ? rateText(value) : '-';
}

/** As few digits as say something: 0, 3.4, 120, 12.3k, 1.2M. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1_000_000) return `${(perSecond / 1_000_000).toFixed(1)}M`;
  if (perSecond >= 10_000) return `${(perSecond / 1000).toFixed(1)}k`;
  if (perSecond >= 100 || perSecond === 0) return String(Math.round(perSecond));
  return perSecond.toFixed(1);
}
