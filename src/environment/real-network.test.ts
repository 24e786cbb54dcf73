import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { realNetwork } from './real-network.ts';

describe('a listener', () => {
  it('has a real port, hands connections over, and keeps them when it closes', async () => {
    let accepted: Socket | undefined;
    const listener = await realNetwork.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
      accepted = socket;
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    expect(listener.port).toBeGreaterThan(0);
    const client = connect(listener.port, listener.host);
    await once(client, 'connect');
    client.write('before');
    expect(String((await once(client, 'data'))[0])).toBe('before');
    await listener.close();
    client.write('after');
    expect(String((await once(client, 'data'))[0])).toBe('after');
    const next = await realNetwork.listen({ host: '127.0.0.1', port: listener.port }, () => {});
    await next.close();
    client.destroy();
    accepted?.destroy();
  });

  it('says that its address is in use, or cannot be had', async () => {
    const listener = await realNetwork.listen({ host: '127.0.0.1', port: 0 }, () => {});
    await expect(realNetwork.listen({ host: '127.0.0.1', port: listener.port }, () => {})).rejects.toMatchObject({
      code: 'already-exists',
    });
    await listener.close();
    await expect(realNetwork.listen({ host: '192.0.2.1', port: 0 }, () => {})).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
