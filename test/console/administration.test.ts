import { readFile } from 'node:fs/promises';
import { connect } from 'amqplib';
import { expect, test } from 'vitest';
import { type ApiBroker, makeUser, startApi } from '../http/fixture.ts';
import { checkLook, describeConsole, openConsole } from './browser.ts';

const names = async ({ ask }: ApiBroker, path: string) =>
  ((await ask('GET', `/api/${path}`)).body as { name: string }[]).map(({ name }) => name);

describeConsole('users in a browser', () => {
  test('a user is made, given permissions, changed and deleted', async () => {
    const { page, ...api } = await openConsole({ path: '/users' });
    await page.getByRole('link', { name: 'guest' }).waitFor();
    await checkLook(page, 'users', 'tbody tr');
    await page.getByRole('button', { name: 'Add user' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('anna');
    await dialog.getByLabel('Password', { exact: true }).fill('secret');
    await dialog.getByLabel('Repeat the password').fill('other');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('It is not the same').waitFor();
    await dialog.getByLabel('Repeat the password').fill('secret');
    await dialog.getByLabel('monitoring').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'anna', level: 1 }).waitFor();
    expect(await api.ask('GET', '/api/whoami', undefined, { as: 'anna:secret' })).toMatchObject({
      body: { name: 'anna', tags: ['monitoring'] },
    });

    await page.getByText('This user may do nothing in any virtual host').waitFor();
    await page.getByRole('button', { name: 'Set permissions' }).click();
    await dialog.getByLabel('Write').fill('^orders');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('^orders').waitFor();
    expect((await api.ask('GET', '/api/permissions/%2F/anna')).body).toMatchObject({ write: '^orders', read: '.*' });
    await page.getByRole('button', { name: 'Set topic permissions' }).click();
    await dialog.getByLabel('Read').fill('^news');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('^news').waitFor();
    await page.getByText('SCRAM-SHA-256').waitFor();
    await checkLook(page, 'user', '.facts');

    await page.getByRole('button', { name: 'Take away: SCRAM-SHA-256' }).click();
    await dialog.getByRole('button', { name: 'Take away' }).click();
    await expect.poll(() => page.getByText('SCRAM-SHA-256').count()).toBe(0);
    await page.getByRole('button', { name: 'Edit' }).first().click();
    await dialog.getByLabel('monitoring').uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('none: clients only').waitFor();
    // Its password stayed.
    expect(await api.ask('GET', '/api/whoami', undefined, { as: 'anna:secret' })).toMatchObject({
      body: { reason: 'Not management user' },
    });
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('1 item').waitFor();
    expect(await names(api, 'users')).toEqual(['guest']);
  });

  test('several are deleted at once; others than administrators are told why there is nothing', async () => {
    const { page, ...api } = await openConsole();
    for (const name of ['one', 'two', 'three']) await makeUser(api, name, '');
    await page.goto('/users');
    for (const name of ['one', 'two']) await page.getByLabel(`Select ${name}`).check();
    await page.getByRole('button', { name: 'Delete 2 users' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('2 items').waitFor();
    expect(await names(api, 'users')).toEqual(['guest', 'three']);
    await makeUser(api, 'watcher', 'monitoring', ['/']);
    const other = await openConsole({ api, as: 'watcher:watcher', path: '/users' });
    await other.page.getByText('This page is for users with the tag “administrator”.').waitFor();
    expect(await other.page.getByRole('link', { name: 'Audit log' }).count()).toBe(0);
    await other.page.goto('/settings');
    await other.page.getByText('This page is for users with the tag “administrator”.').waitFor();
    await other.page.goto('/policies');
    await other.page.getByText('There is no policy').waitFor();
    expect(await other.page.getByRole('button', { name: 'Add policy' }).isDisabled()).toBe(true);
    await other.page.goto('/vhosts');
    await other.page.getByText('1 item').waitFor();
    expect(await other.page.getByRole('button', { name: 'Add virtual host' }).count()).toBe(0);
    await other.page.goto('/logs');
    await other.page.getByText('Live').waitFor();
    expect(await other.page.getByText('What is logged').count()).toBe(0);
  });
});

describeConsole('access of clients of Kafka in a browser', () => {
  test('entries and quotas are made and deleted', async () => {
    const broker = { settings: { kafka: { authorizer: 'acl' as const, superUsers: ['User:root'] } } };
    const { page, ask } = await openConsole({ path: '/kafka-access', broker });
    const dialog = page.getByRole('dialog');
    await page.getByText('There is no entry').waitFor();
    await page.getByRole('button', { name: 'Add entry' }).click();
    await dialog.getByLabel('Principal').fill('anna');
    await dialog.getByLabel('Name', { exact: false }).last().fill('orders');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Principal').fill('User:anna');
    await dialog.getByLabel('Operation').selectOption('write');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByText('User:anna').waitFor();
    expect((await ask('GET', '/api/acls')).body).toMatchObject([
      { principal: 'User:anna', operation: 'write', resource_name: 'orders', permission: 'allow' },
    ]);
    await checkLook(page, 'kafka-access', 'tbody tr');
    await page.getByRole('checkbox').last().check();
    await page.getByRole('button', { name: 'Delete 1 entry' }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is no entry').waitFor();

    await page.getByRole('tab', { name: 'Quotas' }).click();
    await page.getByRole('button', { name: 'Set quota' }).click();
    await dialog.getByLabel('User').fill('anna');
    await dialog.getByLabel('Limit', { exact: true }).fill('1000');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('user=anna').waitFor();
    await page.getByText('producer_byte_rate: 1,000').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Limit', { exact: true }).fill('');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Nobody is limited').waitFor();
  });
});

describeConsole('virtual hosts and policies in a browser', () => {
  test('a virtual host is made, and deleted when its name is typed', async () => {
    const { page, ...api } = await openConsole({ path: '/vhosts' });
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Add virtual host' }).click();
    await dialog.getByLabel('Name').fill('shop');
    await dialog.getByLabel('Default queue type').selectOption('quorum');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('cell', { name: 'shop', exact: true }).waitFor();
    await checkLook(page, 'vhosts', 'tbody tr');
    await page.getByRole('button', { name: 'Delete virtual host shop?' }).click();
    expect(await dialog.getByRole('button', { name: 'Delete', exact: true }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type “shop”').fill('shop');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('1 item').waitFor();
    expect(await names(api, 'vhosts')).toEqual(['/']);
  });

  test('a policy is made, changed and deleted; what the broker refuses is told', async () => {
    const { page, ask } = await openConsole({ path: '/policies' });
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Add policy' }).click();
    await dialog.getByLabel('Name').fill('short');
    await dialog.getByLabel('Pattern').fill('(');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Say at least one thing').waitFor();
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByLabel('Key').fill('max-length');
    await dialog.getByLabel('Value', { exact: true }).fill('5');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Pattern').fill('^orders');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('^orders').waitFor();
    expect((await ask('GET', '/api/policies/%2F/short')).body).toMatchObject({ definition: { 'max-length': 5 } });
    await checkLook(page, 'policies', 'tbody tr');
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Priority').fill('7');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: '7', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete policy short?' }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is no policy').waitFor();
  });
});

describeConsole('settings in a browser', () => {
  test('a setting is found, changed while the broker runs, and taken back', async () => {
    const { page, ask } = await openConsole({ path: '/settings?name=limits.connections&sort=name' });
    await page.getByText('limits.connectionsPerAddress').waitFor();
    await checkLook(page, 'settings', 'tbody tr');
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Change limits.connections', exact: true }).click();
    await dialog.getByLabel('Value').fill('0');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Value').fill('123');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('changed while running').waitFor();
    expect((await ask('GET', '/api/settings/limits.connections')).body).toMatchObject({ value: 123 });
    await page.getByRole('button', { name: 'Change limits.connections', exact: true }).click();
    await dialog.getByRole('button', { name: 'Back to what it was started with' }).click();
    await expect.poll(() => page.getByText('changed while running').count()).toBe(0);
    await page.getByRole('button', { name: 'Read the file again' }).click();
    await page.getByText('started without a configuration file').waitFor();
  });

  test('definitions are exported and imported, and a support bundle is taken', async () => {
    const { page, ...api } = await openConsole({ path: '/settings' });
    await api.ask('PUT', '/api/queues/%2F/orders', { durable: true });
    const exporting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const path = await (await exporting).path();
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ queues: [{ name: 'orders' }] });
    await api.ask('DELETE', '/api/queues/%2F/orders');
    await page.getByLabel('File of definitions').setInputFiles(path);
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click();
    await page.getByText('The definitions are imported').waitFor();
    expect(await names(api, 'queues')).toEqual(['orders']);
    const bundle = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Support bundle' }).click();
    expect((await bundle).suggestedFilename()).toMatch(/^sluice-support-.*\.tar\.gz$/);
  });
});

describeConsole('logs in a browser', () => {
  test('lines come as they are written, are filtered and paused, and the level is changed', async () => {
    const api = await startApi({ listeners: ['http://127.0.0.1:0', 'amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'] });
    const complain = (name: string) =>
      connect(`amqp://${name}:wrong@127.0.0.1:${api.sluice.listeners[1]?.port}`).catch(() => {});
    await complain('early');
    const { page, ask } = await openConsole({ api, path: '/logs' });
    await page.getByText(/early/).first().waitFor();
    await page.getByText('Live').waitFor();
    await complain('later');
    await page.getByText(/later/).first().waitFor();
    await checkLook(page, 'logs', 'tbody tr');
    await page.getByRole('searchbox').fill('later');
    await page.getByRole('searchbox').press('Enter');
    await expect.poll(() => page.getByText(/early/).count()).toBe(0);
    await page.getByText(/later/).first().waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('#main').getByText('Paused').waitFor();
    await complain('later-2');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page
      .getByText(/later-2/)
      .first()
      .waitFor();
    await page.getByText('What is logged').click();
    await page.getByLabel('All parts').selectOption('error');
    await page.getByText('The level is changed').waitFor();
    await page.getByLabel('amqp').selectOption('warn');
    await expect
      .poll(async () => (await ask('GET', '/api/log-level')).body)
      .toMatchObject({ level: 'error', parts: { amqp: 'warn' } });
  });
});

describeConsole('the audit log in a browser', () => {
  test('tells who did what, by pages, filtered, and as a file', async () => {
    const { page, ask } = await openConsole({ path: '/audit' });
    for (let i = 0; i < 130; i++) await ask('PUT', `/api/queues/%2F/queue-${i}`, {});
    await page.getByText('queue-129').waitFor();
    await expect.poll(() => page.getByRole('row').count()).toBe(101);
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByRole('cell', { name: 'queue-0 /', exact: true }).waitFor();
    await page.getByText('Search').first().click();
    await page.getByLabel('Object').fill('queue-77');
    await page.getByLabel('Outcome').selectOption('done');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    expect(page.url()).toContain('object=queue-77');
    await checkLook(page, 'audit', 'tbody tr');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'As JSON lines' }).click();
    const lines = (await readFile(await (await saving).path(), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ object: 'queue-77', act: 'queue.declare' }]);
  });
});
