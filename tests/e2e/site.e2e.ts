// The steward's way through a real site: import, explain a table, release from quarantine, withdraw, run a round, read the report, approve, find it in the audit log.
// The host, the store, TensorFlow and the consortium are the real ones. Screenshots are kept as artefacts; the README shows them.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { element } from '#support/dicom-object.ts';
import { sliceFile } from '#support/image-files.ts';
import { expectNoAxeFindings } from '#support/renderer-page.ts';
import { type ServedSite, startServedSite } from '#support/served-site.ts';

const screenshots = 'test-artefacts/site';

async function keep(page: Page, name: string): Promise<void> {
  await expectNoAxeFindings(page);
  await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
}

async function sync(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('button', { name: 'Sync now' }).click();
  await expect(page.getByText(/^Synced:/)).toBeVisible();
}

/** Runs the open round and signs its approval. */
async function runAndApprove(
  page: Page,
  { round, secret }: { round: number; secret: string },
): Promise<void> {
  await page.getByRole('link', { name: 'Round', exact: true }).click();
  await page.getByRole('button', { name: `Start round ${round}` }).click();
  await expect(page.getByRole('heading', { name: 'What leaves this site' })).toBeVisible({ timeout: 60_000 });
  await keep(page, `round-${round}-review`);
  await page.getByRole('button', { name: 'Approve …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Your secret').fill('not the secret');
  await dialog.getByRole('button', { name: 'Sign and approve' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByLabel('Your secret').fill(secret);
  await keep(page, `round-${round}-sign`);
  await dialog.getByRole('button', { name: 'Sign and approve' }).click();
  await expect(
    page.getByText(`The update of round ${round} is approved. It goes out with the next sync.`),
  ).toBeVisible();
}

test.describe('a steward at a real site', () => {
  let site: ServedSite;
  test.beforeAll(async () => {
    site = await startServedSite();
  });
  test.afterAll(() => site.stop());

  test('takes records in, withdraws a patient, approves a round, and finds it all in the audit log', async ({
    page,
  }) => {
    test.setTimeout(300_000);
    const failures: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') failures.push(message.text());
    });
    page.on('pageerror', (error) => failures.push(error.message));

    await test.step('signs in', async () => {
      await page.goto(site.launchUrl);
      await expect(page).not.toHaveURL(/token/);
      await page.getByLabel('Name', { exact: true }).fill(site.steward.name);
      await page.getByLabel('Secret', { exact: true }).fill(site.steward.secret);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByRole('heading', { name: 'Home', level: 1 })).toBeVisible();
    });

    await test.step('imports a folder of records, images and a broken file, and sees the outcome of each', async () => {
      await page.getByRole('link', { name: 'Import' }).click();
      await expectNoAxeFindings(page);
      const chooser = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Choose a folder' }).click();
      await (await chooser).setFiles(folderOfExports(site));
      await expect(page.getByRole('heading', { name: 'Import finished' })).toBeVisible({ timeout: 60_000 });
      const tally = page.getByRole('table', { name: 'What came of the files and their rows' });
      // Accepted: a table, the mapping beside it and two images. Refused: a table whose one row is bad, and a bundle that breaks off.
      await expect(tally.getByRole('row', { name: /^Files/ })).toHaveText('Files40–329');
      await expect(page.getByText('1 file: The file ends too early: its end is missing.')).toBeVisible();
      await keep(page, 'import');
    });

    await test.step('is led through the columns of a table that nobody has explained', async () => {
      await page.getByRole('button', { name: 'Import more files' }).click();
      const files = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Choose files' }).click();
      await (await files).setFiles(tableWithoutMapping(site));
      await page.getByRole('button', { name: 'Explain the columns …' }).click();
      await page.getByLabel('Who gives out these patient numbers?').fill('https://hospital.example/number');
      await expect(page.getByText('Of the first 6 rows 5 would go in and 1 would be refused.')).toBeVisible();
      await keep(page, 'mapping');
      await page.getByRole('button', { name: 'Import with this mapping' }).click();
      await expect(page.getByRole('heading', { name: 'Import finished' })).toBeVisible();
      await expect(page.getByText('Records added: 5 patients and 5 measurements.')).toBeVisible();
      await page.getByRole('button', { name: 'Import more files' }).click();
    });

    await test.step('releases an image from quarantine with a reason', async () => {
      await page.getByRole('tab', { name: 'Quarantine 3 files wait for a decision' }).click();
      await expect(page.getByText('The pixels hold text that may name the patient.')).toBeVisible();
      await keep(page, 'quarantine');
      await page.getByRole('button', { name: 'Release inbox/radiology/IM3' }).click();
      const dialog = page.getByRole('dialog', { name: 'Release from quarantine' });
      await dialog.getByLabel('Reason').fill('Looked at the original: a scale, no name.');
      await keep(page, 'quarantine-release');
      await dialog.getByRole('button', { name: 'Release this file' }).click();
      await expect(page.getByText('The file was released and taken in.')).toBeVisible();
      await expect(page.getByRole('tab', { name: 'Quarantine 2 files wait for a decision' })).toBeVisible();
    });

    await test.step('withdraws a patient', async () => {
      await page.getByRole('link', { name: 'Consent' }).click();
      const withdraw = page.getByRole('button', { name: /^Withdraw consent of/ }).first();
      await expect(withdraw).toBeVisible();
      await keep(page, 'consent');
      await withdraw.click();
      const dialog = page.getByRole('dialog');
      await expectNoAxeFindings(page);
      await dialog.getByRole('button', { name: 'Withdraw consent' }).click();
      await expect(page.getByText(/^The consent of .* is withdrawn\.$/).first()).toBeVisible();
    });

    await test.step('runs the statistics round and approves what leaves', async () => {
      await site.openRound();
      await sync(page);
      await runAndApprove(page, { round: 1, secret: site.steward.secret });
      await sync(page);
    });

    await test.step('runs a training round with its loss, and approves what leaves', async () => {
      await site.openRound();
      await sync(page);
      await keep(page, 'home');
      await runAndApprove(page, { round: 2, secret: site.steward.secret });
      await expect(page.getByRole('heading', { name: 'Training as it went' })).toBeVisible();
      await sync(page);
      await expect(page.getByText('Received', { exact: true }).first()).toBeVisible();
    });

    await test.step('finds the approval and the withdrawal in the audit log, and verifies it', async () => {
      await page.getByRole('link', { name: 'Audit log' }).click();
      const entries = page.getByRole('table', { name: 'Entries of the audit log' });
      await page.getByLabel('Search').fill('update-approved');
      await expect(entries.getByText('Update approved').first()).toBeVisible();
      await page.getByLabel('Search').fill('');
      await page.getByRole('button', { name: 'Verify the log' }).click();
      await expect(page.getByText('The log is whole')).toBeVisible();
      await keep(page, 'audit-log');
      await page.getByLabel('Search').fill('consent-withdrawn');
      await expect(entries.getByText('Consent withdrawn').first()).toBeVisible();
    });

    await test.step('signs out, and a reload stays signed out', async () => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.reload();
      await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    });
    expect(failures).toEqual([]);
  });

  test('shows nothing to a browser without the token', async ({ page }) => {
    const response = await page.goto(new URL('/', site.launchUrl).href);
    expect(response?.status()).toBe(403);
  });
});

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7';

/** Two tables with their mapping (one has only a bad row), two good images, three to be held, and a bundle that breaks off. */
function folderOfExports(site: ServedSite): string {
  const folder = path.join(site.directory, 'inbox');
  mkdirSync(path.join(folder, 'radiology'), { recursive: true });
  for (const name of ['patients.csv', 'mapping.json'])
    copyFileSync(path.join(site.exports, name), path.join(folder, name));
  writeFileSync(path.join(folder, 'late-rows.csv'), tableWithBadRow(site));
  writeFileSync(path.join(folder, 'visit.json'), '{"resourceType":"Bundle","type":"collection","entry":[');
  for (const instance of [1, 2])
    writeFileSync(
      path.join(folder, 'radiology', `IM${instance}`),
      sliceFile({ patient: 'CLE-100010', instance }),
    );
  // Text drawn in, a screenshot, and nobody knows whose.
  const held = [element(0x00280301, 'YES'), element(0x00080016, secondaryCapture), element(0x00100020, '')];
  for (const [index, change] of held.entries()) {
    const image = sliceFile({ patient: 'CLE-100010', instance: index + 3 }, change);
    writeFileSync(path.join(folder, 'radiology', `IM${index + 3}`), image);
  }
  return folder;
}

function tableWithoutMapping(site: ServedSite): string {
  const file = path.join(site.directory, 'laboratory.csv');
  const rows = ['7001;2026-10-02;212', '7002;2026-10-05;187', '7003;2026-10-06;high', '7004;2026-10-07;240'];
  const more = ['7005;2026-10-09;198', '7006;2026-10-12;221'];
  writeFileSync(file, ['patient_number;visit_date;cholesterol [mg/dL]', ...rows, ...more, ''].join('\n'));
  return file;
}

/** The header of the export and one row whose number is none. */
function tableWithBadRow(site: ServedSite): string {
  const [header = '', first = ''] = readFileSync(path.join(site.exports, 'patients.csv'), 'utf8').split('\n');
  const cells = first.split(',');
  const column = header.split(',').findIndex((name) => /chol/i.test(name));
  return `${header}\n${cells.map((cell, index) => (index === column ? 'two hundred' : cell)).join(',')}\n`;
}
