import { expect, test } from 'vitest';
import { eventsIn, type StreamEvent } from './event-stream.ts';

async function parsed(text: string, cut: number): Promise<StreamEvent[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
  }
  const events: StreamEvent[] = [];
  for await (const event of eventsIn(chunks())) events.push(event);
  return events;
}

test('events come out whole, however the bytes are cut', async () => {
  const text =
    ': hello\n\nid: 7\nevent: message\ndata: {"a":\ndata:  "ö"}\r\n\r\nevent: ping\n\ndata:x\n\nnothing\ndata: cut';
  for (const cut of [1, 2, 3, 5, 1000])
    expect(await parsed(text, cut), `chunks of ${cut}`).toEqual([
      { event: 'message', data: '{"a":\n "ö"}', id: '7' },
      { event: 'message', data: 'x', id: '7' },
    ]);
});
