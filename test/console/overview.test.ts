import { connect } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import { type ApiBroker, makeUser, startApi } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

const BROKER = { listeners: ['http://127.0.0.1:0', 'amqp://127.0.0.1:0'], settings: { metrics: { sampleMs: 1_000 } } };

/** Somebody who publishes, until the test ends. */
async function publisher({ sluice }: ApiBroker) {
  const model = await connect(`amqp://guest:guest@127.0.0.1:${sluice.listeners[1]?.port}`);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('orders');
  let goesOn = true;
  const done = (async () => {
    while (goesOn) {
      for (let i = 0; i < 10; i++) channel.sendToQueue('orders', Buffer.from('x'));
      await channel.waitForConfirms();
    }
  })();
  onTestFinished(async () => {
    goesOn = false;
    await done;
    await model.close();
  });
}

describeConsole('the overview in a browser', () => {
  test('shows what is done now and was lately, and what there is', async () => {
    const { page, ...api } = await openConsole({ path: '/overview', broker: BROKER });
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByText('no alarms').waitFor();
    await publisher(api);
    const published = page.locator('.figure', { hasText: 'Published' }).locator('.value');
    await expect.poll(() => published.textContent(), { timeout: 20_000 }).toMatch(/^[1-9]/);
    await page.getByRole('img', { name: 'Message rates' }).waitFor();
    await page.getByRole('img', { name: 'Latency' }).locator('canvas').waitFor();
    await page.locator('.figure', { hasText: 'Connections' }).getByRole('link', { name: '1' }).waitFor();
    await page.getByRole('heading', { name: 'Listeners' }).waitFor();
    await page.getByRole('button', { name: '1 day' }).click();
    await page.locator('button[aria-pressed="true"]', { hasText: '1 day' }).waitFor();
    await checkLook(page, 'overview', '.chart canvas');
  });

  test('says when publishers wait', async () => {
    const { page } = await openConsole({ path: '/overview', broker: BROKER });
    await page.route('**/api/nodes', async (route) => {
      const answer = await route.fetch();
      const nodes = (await answer.json()) as object[];
      await route.fulfill({ response: answer, json: nodes.map((node) => ({ ...node, mem_alarm: true })) });
    });
    await page.getByRole('alert').getByText('Publishers wait: memory runs short').waitFor();
  });

  test('who may not watch the broker sees its own virtual hosts, and nothing of the machine', async () => {
    const api = await startApi(BROKER);
    await makeUser(api, 'mine', 'management', ['/']);
    await publisher(api);
    const { page: theirs } = await openConsole({ api, as: 'mine:mine', path: '/overview' });
    await theirs.getByRole('img', { name: 'Message rates' }).waitFor();
    expect(await theirs.getByText('Memory').count()).toBe(0);
    expect(await theirs.getByText('Listeners').count()).toBe(0);
  });
});
