// The Import screen alone, over a made-up site: thousands of files, stopping, the way through a column mapping, quarantine, sources;
// accessible in every theme and language, by keyboard, unmoved by hostile texts.
import { type Browser, expect, type Page, test } from '@playwright/test';
import type { FakeSiteOptions } from '#support/fake-site-router.ts';
import { expectNoAxeFindings, openRenderer, type RendererPage, tabTo } from '#support/renderer-page.ts';

const screens: readonly {
  name: string;
  part: string;
  shows: { en: string; de: string };
  site?: FakeSiteOptions;
}[] = [
  {
    name: 'quarantine',
    part: 'quarantine',
    shows: { en: 'Held in quarantine', de: 'In Quarantäne gehalten' },
  },
  {
    name: 'quarantine-empty',
    part: 'quarantine',
    shows: { en: 'Nothing is held', de: 'Nichts wird gehalten' },
    site: { isEmpty: true },
  },
  {
    name: 'quarantine-error',
    part: 'quarantine',
    shows: { en: 'Try again', de: 'Noch einmal versuchen' },
    site: { isRefusing: true },
  },
  { name: 'sources', part: 'sources', shows: { en: 'Radiology PACS', de: 'Radiology PACS' } },
  {
    name: 'sources-empty',
    part: 'sources',
    shows: { en: 'No source yet', de: 'Noch keine Quelle' },
    site: { isEmpty: true },
  },
  {
    name: 'sources-error',
    part: 'sources',
    shows: { en: 'Try again', de: 'Noch einmal versuchen' },
    site: { isRefusing: true },
  },
];

async function withImport(
  browser: Browser,
  options: Parameters<typeof openRenderer>[1],
  work: (opened: RendererPage) => Promise<void>,
): Promise<void> {
  const opened = await openRenderer(browser, { address: '/import', ...options });
  try {
    await work(opened);
    expect(opened.troubles).toEqual([]);
  } finally {
    await opened.close();
  }
}

async function choose(page: Page, files: readonly { name: string; text: string }[], button = 'Choose files') {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: button }).click();
  await (await chooser).setFiles(
    files.map(({ name, text }) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })),
  );
}

test.describe('every part of the import screen is accessible', () => {
  for (const language of ['en', 'de'] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const { name, part, shows, site } of screens) {
        test(`${name}, ${language}, ${colorScheme}`, async ({ browser }) => {
          const options = {
            address: `/import?part=${part}`,
            language,
            colorScheme,
            ...(site ? { site } : {}),
          };
          await withImport(browser, options, async ({ page }) => {
            await expect(page.getByText(shows[language]).first()).toBeVisible();
            await page.waitForLoadState('networkidle');
            await expectNoAxeFindings(page);
            await page.screenshot({ path: `test-artefacts/screens/${name}.${language}.${colorScheme}.png` });
          });
        });
      }

      test(`column mapping, ${language}, ${colorScheme}`, async ({ browser }) => {
        await withImport(browser, { language, colorScheme }, async ({ page }) => {
          const isEnglish = language === 'en';
          await choose(
            page,
            [{ name: 'unmapped.csv', text: 'a;b\n1;2\n' }],
            isEnglish ? 'Choose files' : 'Dateien wählen',
          );
          await page
            .getByRole('button', { name: isEnglish ? 'Explain the columns …' : 'Spalten erklären …' })
            .click();
          await expect(page.getByRole('group', { name: 'chol' })).toBeVisible();
          await expectNoAxeFindings(page);
          await page
            .getByLabel(isEnglish ? 'Who gives out these' : 'Wer vergibt diese')
            .fill('https://hospital.example/number');
          await page
            .getByLabel(isEnglish ? 'Meaning of diabetes' : 'Bedeutung von diabetes')
            .selectOption('ignore');
          await expect(
            page.getByRole('table', {
              name: isEnglish ? 'First rows of the table' : 'Erste Zeilen der Tabelle',
            }),
          ).toBeVisible();
          await expectNoAxeFindings(page);
          await page.screenshot({ path: `test-artefacts/screens/mapping.${language}.${colorScheme}.png` });
        });
      });
    }
  }
});

test('two thousand files go in with few rows in the document, and the outcomes add up', async ({
  browser,
}) => {
  test.setTimeout(180_000);
  await withImport(browser, {}, async ({ page }) => {
    const files = Array.from({ length: 2_000 }, (_, index) => ({
      name:
        index % 100 === 7
          ? `bad-${index}.bin`
          : index % 100 === 9
            ? `quarantine-${index}.dcm`
            : `IM${index}.dcm`,
      text: 'x',
    }));
    await choose(page, files);
    await expect(page.getByRole('heading', { name: 'Import finished' })).toBeVisible({ timeout: 120_000 });
    const tally = page.getByRole('table', { name: 'What came of the files and their rows' });
    await expect(tally.getByRole('row', { name: /^Files/ })).toHaveText('Files1,9600–20202,000');
    const table = page.getByRole('table', { name: 'Files of this import' });
    await expect(table).toHaveAttribute('aria-rowcount', '2001');
    expect(await table.getByRole('row').count()).toBeLessThan(60);
    await page.getByText('To look at (40)').click();
    await expect(table).toHaveAttribute('aria-rowcount', '41');
    await expectNoAxeFindings(page);
  });
});

test('an import tells its pace, is stopped by keyboard, and says what stays', async ({ browser }) => {
  await withImport(browser, { site: { pushDelayMs: 60 } }, async ({ page, server }) => {
    await choose(
      page,
      Array.from({ length: 600 }, (_, index) => ({ name: `lab-${index}.csv`, text: 'x'.repeat(1_000) })),
    );
    await expect(page.getByText(/^about .* left$/)).toBeVisible();
    await expect(page.getByText('files per second')).toBeVisible();
    await expect(page.getByText(/^Reading now:/)).toBeVisible();
    await expectNoAxeFindings(page);
    await tabTo(page, /^Stop$/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Stopped' })).toBeVisible();
    await expect(page.getByText(/what went in stays in; \d+ were not read\./)).toBeVisible();
    const pushed = server.site.state.pushed.length;
    const tally = page.getByRole('table', { name: 'What came of the files and their rows' });
    await expect(tally.getByRole('row', { name: /^Files/ })).toHaveText(
      `Files${pushed}0–00${600 - pushed}600`,
    );
  });
});

test('a person is led through a column mapping, and the tables with these columns go in with it', async ({
  browser,
}) => {
  await withImport(browser, {}, async ({ page, server }) => {
    await choose(page, [
      { name: 'unmapped-1.csv', text: 'patient_nr;chol\n1;2\n' },
      { name: 'unmapped-2.csv', text: 'patient_nr;chol\n3;4\n' },
      { name: 'unmapped-3.csv', text: 'other;columns\n3;4\n' },
    ]);
    await page.getByRole('button', { name: 'Explain the columns …' }).click();
    const start = page.getByRole('button', { name: 'Import with this mapping' });
    await expect(start).toBeDisabled();
    await expect(page.getByText('Say who gives out the patient numbers')).toBeVisible();
    await tabTo(page, /^Who gives out these patient numbers/);
    await page.keyboard.type('https://hospital.example/number');
    const diabetes = page.getByRole('group', { name: 'diabetes' });
    await expect(page.getByText('Give the code.')).toBeVisible();
    await diabetes.getByLabel('Code list').selectOption('SNOMED CT');
    await diabetes.getByLabel('Code', { exact: true }).fill('73211009');
    await expect(
      page.getByText('Of the first 1,200 rows 1,183 would go in and 17 would be refused.'),
    ).toBeVisible();
    const preview = page.getByRole('table', { name: 'First rows of the table' });
    await expect(preview.getByRole('row').nth(5)).toContainText('A number cannot be read. (chol)');

    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the mapping …' }).click();
    expect((await saved).suggestedFilename()).toBe('unmapped-1.mapping.json');

    await start.click();
    await expect(page.getByRole('heading', { name: 'Import finished' })).toBeVisible();
    expect(server.site.state.files.map(({ name }) => name)).toEqual(['unmapped-1.csv', 'unmapped-2.csv']);
    expect(JSON.parse(server.site.state.mapping ?? 'null')).toMatchObject({
      consilium: 'csv-mapping/1',
      patient: { identifier: 'patient_nr', authority: 'https://hospital.example/number' },
      indexDate: 'visit',
      facts: [
        { kind: 'quantity', column: 'chol', unit: 'mg/dL' },
        { kind: 'quantity', column: 'rr_sys', unit: 'mm[Hg]' },
        {
          kind: 'boolean',
          column: 'diabetes',
          code: { code: '73211009' },
          values: { ja: true, nein: false },
        },
      ],
    });
    await expect(page.getByText('A table needs to be explained once')).toBeVisible();
  });
});

test('a steward releases a file with a reason, by keyboard, and Escape before that changes nothing', async ({
  browser,
}) => {
  await withImport(browser, { address: '/import?part=quarantine' }, async ({ page, server }) => {
    await expect(page.getByRole('tab', { name: 'Quarantine 3 files wait for a decision' })).toBeVisible();
    // Whose image it is cannot be released into being known.
    await expect(page.getByRole('button', { name: 'Delete radiology/2026-11/IM00002' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Release radiology/2026-11/IM00002' })).toHaveCount(0);
    await tabTo(page, /^Release radiology/);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Release from quarantine' });
    await expect(dialog).toContainText('Look at the original first');
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    expect(server.site.state.decisions).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('button', { name: 'Release this file' })).toBeDisabled();
    await expectNoAxeFindings(page);
    await tabTo(page, /^Reason/);
    await page.keyboard.type('Looked at the original: no writing in the image.');
    await tabTo(page, /^Release this file$/);
    await page.keyboard.press('Enter');
    await expect(page.getByText('The file was released and taken in.')).toBeVisible();
    expect(server.site.state.decisions).toEqual([
      { kind: 'release', quarantineId: 100, reason: 'Looked at the original: no writing in the image.' },
    ]);
    await expect(page.getByRole('tab', { name: 'Quarantine 2 files wait for a decision' })).toBeVisible();
  });
});

test('a steward deletes a file after reading what that means', async ({ browser }) => {
  await withImport(browser, { address: '/import?part=quarantine' }, async ({ page, server }) => {
    await page
      .getByRole('button', { name: /^Delete radiology/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog', { name: 'Delete from quarantine' });
    await expect(dialog).toContainText('cannot be brought back');
    await dialog.getByLabel('Reason').fill('Sent by mistake.');
    await dialog.getByRole('button', { name: 'Delete this file' }).click();
    await expect(page.getByText('The file was deleted from quarantine.')).toBeVisible();
    expect(server.site.state.decisions.map(({ kind }) => kind)).toEqual(['delete']);
  });
});

test('ten thousand held files scroll with a few rows in the document', async ({ browser }) => {
  const site = { heldCount: 10_000 };
  await withImport(browser, { address: '/import?part=quarantine', site }, async ({ page }) => {
    const table = page.getByRole('table', { name: 'Files in quarantine' });
    await expect(table).toHaveAttribute('aria-rowcount', '10001');
    expect(await table.getByRole('row').count()).toBeLessThan(60);
  });
});

test('a source is added, fetched from and removed', async ({ browser }) => {
  await withImport(browser, { address: '/import?part=sources' }, async ({ page, server }) => {
    await page.getByRole('button', { name: 'Add a source …' }).click();
    const form = page.getByRole('dialog', { name: 'Add a source …' });
    await form.getByLabel('Kind').selectOption('dicomweb');
    await expect(form.getByRole('button', { name: 'Add this source' })).toBeDisabled();
    await form.getByLabel('What to call it').fill('Cardiology PACS');
    await form.getByLabel('Address').fill('https://pacs.hospital.example/dicom-web');
    await expectNoAxeFindings(page);
    await form.getByRole('button', { name: 'Add this source' }).click();
    await page.getByRole('button', { name: 'Fetch now from Cardiology PACS' }).click();
    await expect.poll(() => server.site.state.runs).toEqual(['source-3']);
    await page.getByRole('button', { name: 'Remove Cardiology PACS' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(page.getByText('Cardiology PACS')).toHaveCount(0);
  });
});

for (const address of ['/import?part=quarantine', '/import?part=sources']) {
  test(`texts of an attacker are only text at ${address} (security.md X3)`, async ({ browser }) => {
    await withImport(browser, { address, site: { isHostile: true } }, async ({ page, server }) => {
      await page.waitForLoadState('networkidle');
      await expect(page.locator('main')).toContainText('<img src=');
      expect(await page.evaluate('window.hostile')).toBeUndefined();
      expect(server.requests.filter((path) => path.includes('hostile'))).toEqual([]);
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await expectNoAxeFindings(page);
    });
  });
}
