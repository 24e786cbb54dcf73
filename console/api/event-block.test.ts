import { expect, test } from 'vitest';
import { parseEvent } from './event-block.ts';

test('a block of lines is an event: several lines of data are one text, and comments are nothing', () => {
  expect(parseEvent('event: record\nid: 7\ndata: {"a":1}')).toEqual({ event: 'record', id: '7', data: '{"a":1}' });
  expect(parseEvent('data: one\r\ndata:two\ndata')).toEqual({ event: 'message', id: undefined, data: 'one\ntwo\n' });
  expect(parseEvent(': still here')).toBeUndefined();
  expect(parseEvent('event: end')).toBeUndefined();
});
