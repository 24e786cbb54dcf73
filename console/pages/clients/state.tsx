import { Badge, type Tone } from '../../kit/facts.tsx';
import { clientWords } from '../../words/clients.ts';

const TONES: Readonly<Record<string, Tone>> = {
  ...{ running: 'good', blocked: 'bad', blocking: 'warn', flow: 'warn', closing: 'warn', starting: 'info' },
};

/** Of a connection or a channel. */
export function ClientState({ state }: { readonly state: string }) {
  const known = state in TONES || state === 'idle' ? (state as 'running' | 'idle') : undefined;
  return <Badge tone={TONES[state] ?? 'plain'}>{known === undefined ? state : clientWords[known]}</Badge>;
}
