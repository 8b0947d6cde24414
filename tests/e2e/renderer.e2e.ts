// The renderer alone, over a made-up site: accessible in every theme and language, usable by keyboard, unmoved by hostile texts.
import { type Browser, expect, test } from '@playwright/test';
import { type FakeSiteOptions, fakeSecret } from '#support/fake-site-router.ts';
import { expectNoAxeFindings, openRenderer, type RendererPage, tabTo } from '#support/renderer-page.ts';

const screens: readonly {
  name: string;
  address: string;
  heading: { readonly en: string; readonly de: string };
  site?: FakeSiteOptions;
}[] = [
  { name: 'sign-in', address: '/', heading: { en: 'Sign in', de: 'Anmelden' }, site: { person: null } },
  { name: 'home', address: '/', heading: { en: 'Home', de: 'Start' } },
  { name: 'home-empty', address: '/', heading: { en: 'Home', de: 'Start' }, site: { isEmpty: true } },
  { name: 'import', address: '/import', heading: { en: 'Import', de: 'Import' } },
  { name: 'consent', address: '/consent', heading: { en: 'Consent', de: 'Einwilligung' } },
  {
    name: 'round-open',
    address: '/round',
    heading: { en: 'Round', de: 'Runde' },
    site: { isRoundOpen: true },
  },
  { name: 'round-review', address: '/round', heading: { en: 'Round', de: 'Runde' } },
  { name: 'audit-log', address: '/audit-log', heading: { en: 'Audit log', de: 'Prüfprotokoll' } },
];

async function withRenderer(
  browser: Browser,
  options: Parameters<typeof openRenderer>[1],
  work: (opened: RendererPage) => Promise<void>,
  expectedTrouble: RegExp | null = null,
): Promise<void> {
  const opened = await openRenderer(browser, options);
  try {
    await work(opened);
    expect(opened.troubles.filter((trouble) => !expectedTrouble?.test(trouble))).toEqual([]);
  } finally {
    await opened.close();
  }
}

test.describe('every screen is accessible', () => {
  for (const language of ['en', 'de'] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const screen of screens) {
        test(`${screen.name}, ${language}, ${colorScheme}`, async ({ browser }) => {
          const options = {
            address: screen.address,
            language,
            colorScheme,
            ...(screen.site ? { site: screen.site } : {}),
          };
          await withRenderer(browser, options, async ({ page }) => {
            await expect(
              page.getByRole('heading', { level: 1, name: screen.heading[language], exact: true }),
            ).toBeVisible();
            await expect(page.locator('html')).toHaveAttribute('lang', language);
            await page.waitForLoadState('networkidle');
            await expect(page.getByText(language === 'en' ? 'Loading' : 'Wird geladen')).toHaveCount(0);
            await expectNoAxeFindings(page);
            await page.screenshot({
              path: `test-artefacts/screens/${screen.name}.${language}.${colorScheme}.png`,
            });
          });
        });
      }
    }
  }
});

test.describe('by keyboard alone', () => {
  test('a person signs in, after a wrong secret was refused with a sentence', async ({ browser }) => {
    await withRenderer(browser, { site: { person: null } }, async ({ page }) => {
      await tabTo(page, /^Name$/);
      await page.keyboard.type('Erika Beispiel');
      await page.keyboard.press('Tab');
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('alert')).toContainText('Name and secret do not belong together');
      await tabTo(page, /^Secret$/);
      await page.keyboard.type(fakeSecret);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
    });
  });

  test('the skip link leads past the navigation and leaves the address alone', async ({ browser }) => {
    await withRenderer(browser, { address: '/consent' }, async ({ page }) => {
      // A key that is pressed before there is anything to focus is lost.
      await expect(page.getByText('100,000 shown')).toBeVisible();
      await page.keyboard.press('Tab');
      await expect(page.getByRole('button', { name: 'Skip to content' })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('main')).toBeFocused();
      expect(new URL(page.url()).hash).toBe('#/consent');
    });
  });

  test('a steward withdraws a patient, and Escape before that changes nothing', async ({ browser }) => {
    await withRenderer(browser, { address: '/consent' }, async ({ page, server }) => {
      await expect(page.getByText('100,000 shown')).toBeVisible();
      await tabTo(page, /^Search$/);
      await page.keyboard.type('Kovács, Ada');
      await expect(page.getByText('100,000 shown')).toHaveCount(0);
      const button = page.getByRole('button', { name: /^Withdraw consent of/ }).first();
      const name = (await button.getAttribute('aria-label')) ?? '';
      await tabTo(page, new RegExp(`^${name}$`));
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Withdraw consent' });
      await expect(dialog).toBeVisible();
      await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
      await page.keyboard.press('Escape');
      await expect(dialog).toHaveCount(0);
      expect(server.site.changes.size).toBe(0);
      await expect(button).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(dialog).toBeVisible();
      await expectNoAxeFindings(page);
      await tabTo(page, /^Withdraw consent$/);
      await page.keyboard.press('Enter');
      await expect(page.getByText(/^The consent of .* is withdrawn\.$/)).toBeVisible();
      expect([...server.site.changes.values()]).toEqual([
        { decision: 'deny', rule: 'withdrawn', source: 'steward', awaitsErasure: false },
      ]);
      // Updates with the patient had left: what the plan promises is the next step.
      const rounds = page.getByRole('dialog', { name: 'Rounds of a patient' });
      await expect(rounds.getByText(/it goes back to before these rounds/)).toBeVisible();
      await expectNoAxeFindings(page);
      await page.screenshot({ path: 'test-artefacts/screens/rounds-of-a-patient.png' });
      await tabTo(page, /^Ask for this$/);
      await page.keyboard.press('Enter');
      await expect(rounds.getByText('Asked for', { exact: true })).toHaveCount(2);
      await expect(rounds.getByRole('button', { name: 'Ask for this' })).toHaveCount(0);
      expect(server.site.state.remediesAsked.size).toBe(1);
      await tabTo(page, /^Close$/);
      await page.keyboard.press('Enter');
      await expect(rounds).toHaveCount(0);
      await expect(page.getByRole('button', { name: name.replace('Withdraw', 'Record') })).toBeVisible();
    });
  });

  test('a steward reads the report and approves with the secret', async ({ browser }) => {
    await withRenderer(browser, {}, async ({ page, server }) => {
      await tabTo(page, /^Review$/);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: 'Round' })).toBeFocused();
      await expect(page.getByRole('heading', { name: 'What leaves this site' })).toBeVisible();
      await tabTo(page, /^Approve …$/);
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Approve this update' });
      await expect(dialog).toContainText('I, Erika Beispiel, Data steward');
      await expect(dialog).toContainText('exactly these 200 bytes of numbers');
      await expect(dialog.getByLabel('Your secret')).toBeFocused();
      await expectNoAxeFindings(page);
      await page.keyboard.type('wrong');
      await page.keyboard.press('Enter');
      await expect(dialog.getByRole('alert')).toContainText('This is not your secret.');
      expect(server.site.state.current).toBe('draft');
      await tabTo(page, /^Your secret$/);
      await page.keyboard.type(fakeSecret);
      await page.keyboard.press('Enter');
      await expect(page.getByText('It is sealed and sent with the next sync.').first()).toBeVisible();
      expect(server.site.state.current).toBe('approved');
    });
  });

  test('a round is started, watched, and cancelled', async ({ browser }) => {
    const site = { isRoundOpen: true, stepDelayMs: 20 };
    await withRenderer(browser, { address: '/round', site }, async ({ page }) => {
      await tabTo(page, /^Start round 5$/);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('progressbar', { name: 'Progress of the run' })).toBeVisible();
      await expect(page.getByRole('img', { name: /^Curve of the loss/ })).toBeVisible();
      await expect(page.getByRole('table', { name: /^Loss by step/ })).toBeVisible();
      await expectNoAxeFindings(page);
      await tabTo(page, /^Cancel the run$/);
      await page.keyboard.press('Enter');
      await expect(page.getByText('The run was cancelled. Nothing was kept of it.')).toBeVisible();
    });
  });

  test('a round goes on while another screen is open, and ends in a draft', async ({ browser }) => {
    await withRenderer(browser, { address: '/round', site: { isRoundOpen: true } }, async ({ page }) => {
      await page.getByRole('button', { name: 'Start round 5' }).click();
      await expect(page.getByText(/^Step \d+ of 300$/)).toBeVisible();
      await page.getByRole('link', { name: 'Consent' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Consent' })).toBeFocused();
      await page.getByRole('link', { name: /^Round/ }).click();
      await expect(page.getByRole('button', { name: 'Approve …' })).toBeVisible({ timeout: 30_000 });
    });
  });
});

test('files are sent in chunks, and each gets an outcome with a reason', async ({ browser }) => {
  await withRenderer(browser, { address: '/import' }, async ({ page, server }) => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Choose files' }).click();
    await (await chooser).setFiles([
      { name: 'patients.csv', mimeType: 'text/csv', buffer: Buffer.alloc(2_500_000, 'x') },
      { name: 'bad.bin', mimeType: 'application/octet-stream', buffer: Buffer.from('zz') },
    ]);
    await expect(page.getByRole('heading', { name: 'Import finished' })).toBeVisible();
    const tally = page.getByRole('table', { name: 'What came of the files and their rows' });
    await expect(tally.getByRole('row', { name: /^Files/ })).toHaveText('Files10–012');
    await expect(tally.getByRole('row', { name: /^Rows/ })).toHaveText('Rows4025–249');
    await expectNoAxeFindings(page);
    expect(
      server.site.state.pushed.map(({ fileIndex, offset, isLast }) => [fileIndex, offset, isLast]),
    ).toEqual([
      [0, 0, false],
      [0, 1_048_576, false],
      [0, 2_097_152, true],
      [1, 0, true],
    ]);
    await page.getByRole('button', { name: 'Details of patients.csv' }).click();
    const refused = page.getByRole('dialog').getByRole('table', { name: 'Refused rows of this file' });
    await expect(refused.getByRole('row')).toHaveCount(3);
    await expect(refused).toContainText('A number cannot be read.');
    await expectNoAxeFindings(page);
  });
});

test('a hundred thousand patients scroll, with a few dozen rows in the document', async ({ browser }) => {
  await withRenderer(browser, { address: '/consent' }, async ({ page, server }) => {
    const table = page.getByRole('table', { name: 'Patients and their consent' });
    await expect(table).toHaveAttribute('aria-rowcount', '100001');
    await page.getByRole('group', { name: 'Patients and their consent' }).focus();
    await page.keyboard.press('End');
    await expect(table.locator('[aria-rowindex="100001"]').getByRole('button')).toHaveCount(2);
    expect(await table.getByRole('row').count()).toBeLessThan(80);
    expect(server.site.state.listCalls).toBeLessThan(12);
  });
});

test('a withdrawal for one research study says that it is for this one alone', async ({ browser }) => {
  await withRenderer(browser, { address: '/consent' }, async ({ page }) => {
    await page.getByLabel('Consent for').selectOption({ index: 1 });
    await page
      .getByRole('button', { name: /^Withdraw consent of/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog', { name: 'Withdraw consent' });
    await expect(dialog).toContainText('in no cohort of this research study');
  });
});

test('the rounds of a patient are shown in German too, and nothing is offered while they take part', async ({
  browser,
}) => {
  await withRenderer(
    browser,
    { address: '/consent', language: 'de', colorScheme: 'dark' },
    async ({ page }) => {
      await page
        .getByRole('button', { name: /^Runden von/ })
        .first()
        .click();
      const dialog = page.getByRole('dialog', { name: 'Runden einer Person' });
      await expect(dialog.getByText('Ein Update mit dieser Person')).toHaveCount(3);
      await expect(dialog.getByRole('button', { name: 'Verlangen' })).toHaveCount(0);
      await expectNoAxeFindings(page);
      await page.screenshot({ path: 'test-artefacts/screens/rounds-of-a-patient.de.dark.png' });
    },
  );
});

for (const language of ['en', 'de'] as const) {
  test(`the data of a research study are checked, with progress, and the check can be cancelled (${language})`, async ({
    browser,
  }) => {
    const words = {
      en: {
        tab: 'Data',
        start: 'Check the data',
        cancel: 'Cancel',
        fix: 'What to do:',
        again: 'Check again',
      },
      de: {
        tab: 'Daten',
        start: 'Daten prüfen',
        cancel: 'Abbrechen',
        fix: 'Zu tun:',
        again: 'Noch einmal prüfen',
      },
    }[language];
    const options = {
      address: '/round',
      language,
      colorScheme: language === 'de' ? 'dark' : 'light',
    } as const;
    await withRenderer(browser, options, async ({ page }) => {
      await page.getByRole('tab', { name: words.tab, exact: true }).click();
      await page.getByRole('button', { name: words.start }).click();
      await page.getByRole('button', { name: words.cancel }).click();
      await page.getByRole('button', { name: words.start }).click();
      await expect(page.getByRole('progressbar')).toHaveCount(1);
      await expect(page.getByRole('button', { name: words.again })).toBeVisible();
      await expect(page.getByText('chol (mg/dL)')).toBeVisible();
      await expectNoAxeFindings(page);
      const screens = `test-artefacts/screens/data-quality.${language}`;
      await page.screenshot({ path: `${screens}.png` });
      await page.getByText('chol (mg/dL)').scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${screens}.values.png` });
    });
  });
}

test('a consent that another record outweighs is not announced as a success', async ({ browser }) => {
  const site = { isGrantOutweighed: true };
  await withRenderer(browser, { address: '/consent', site }, async ({ page }) => {
    await page
      .getByRole('button', { name: /^Record consent of/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog', { name: 'Record a consent' });
    await dialog.getByRole('button', { name: 'Record consent' }).click();
    await expect(dialog.getByRole('alert')).toContainText('the patient is still left out');
    await expect(dialog.getByRole('alert')).toContainText('Withdrawn');
    await expect(page.getByText(/is recorded\.$/)).toHaveCount(0);
    await expectNoAxeFindings(page);
    await dialog.getByText('Close', { exact: true }).click();
    await expect(dialog).toHaveCount(0);
  });
});

test.describe('texts of an attacker (security.md X3)', () => {
  for (const address of ['/', '/import', '/consent', '/round?study=hostile-texts', '/audit-log']) {
    test(`are only text at ${address}`, async ({ browser }) => {
      await withRenderer(browser, { address, site: { isHostile: true } }, async ({ page, server }) => {
        await page.waitForLoadState('networkidle');
        if (address.startsWith('/round'))
          await page.getByRole('tab', { name: 'Plan in plain words' }).click();
        if (address === '/audit-log') await page.getByRole('button', { name: 'Verify the log' }).click();
        if (address === '/audit-log') await expect(page.getByText('The log is not whole')).toBeVisible();
        await expect(page.locator('body')).toContainText('<img src=');
        expect(await page.evaluate('window.hostile')).toBeUndefined();
        expect(server.requests.filter((path) => path.includes('hostile'))).toEqual([]);
        const text = await page.locator('body').innerText();
        expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
        expect(text.length).toBeLessThan(100_000);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(overflow).toBeLessThanOrEqual(0);
        await expectNoAxeFindings(page);
        await page.screenshot({
          path: `test-artefacts/screens/hostile${address.replaceAll(/[^a-z]+/g, '-')}.png`,
        });
      });
    });
  }

  test('a patient whose name is markup is withdrawn like any other', async ({ browser }) => {
    await withRenderer(browser, { address: '/consent', site: { isHostile: true } }, async ({ page }) => {
      await page
        .getByRole('button', { name: /^Withdraw consent of/ })
        .nth(2)
        .click();
      const dialog = page.getByRole('dialog');
      await expect(dialog).toContainText('(1,048,576 characters in all)');
      const box = await dialog.boundingBox();
      expect(box?.width).toBeLessThan(700);
      await dialog.getByRole('button', { name: 'Withdraw consent' }).click();
      await expect(page.getByText(/is withdrawn\.$/)).toBeVisible();
    });
  });
});

test('language and colours are chosen and kept', async ({ browser }) => {
  await withRenderer(browser, {}, async ({ page }) => {
    await page.getByRole('button', { name: 'DE Deutsch' }).click();
    await page.getByRole('button', { name: 'Dunkel' }).click();
    await expect(page).toHaveTitle('Start – Consilium');
    await page.reload();
    await expect(page.getByRole('heading', { level: 1, name: 'Start' })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
    await expect(page.getByRole('button', { name: 'Dunkel' })).toHaveAttribute('aria-pressed', 'true');
  });
});

test('a broken connection is said, and mended without a reload', async ({ browser }) => {
  const work = async ({ page, server }: RendererPage): Promise<void> => {
    await expect(page.getByText('100,000 shown')).toBeVisible();
    await page.context().setOffline(true);
    server.dropConnections();
    await expect(page.getByText('The site does not answer.')).toBeVisible();
    await page.context().setOffline(false);
    await expect(page.getByText('The site does not answer.')).toHaveCount(0, { timeout: 20_000 });
    await page.getByRole('link', { name: 'Audit log' }).click();
    await expect(page.getByText('3,000 entries')).toBeVisible();
  };
  // The browser itself reports each socket that it could not open.
  await withRenderer(browser, { address: '/consent' }, work, /^WebSocket connection to/);
});
