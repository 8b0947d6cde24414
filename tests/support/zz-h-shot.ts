import { chromium } from 'playwright';
import { AxeBuilder } from '@axe-core/playwright';
import { startFakeSiteServer } from './fake-site-server.ts';
const only = process.argv[2]?.split(',');
const variants = (process.argv[3] ?? 'light-en-1280,dark-de-1440').split(',');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const scenes: Record<string, { opts: object; path: string; act?: (p: any) => Promise<void> }> = {
  'sign-in': { opts: { person: null }, path: '#/' },
  'sign-in-wrong': { opts: { person: null }, path: '#/', act: async (p) => { await p.locator('input').first().fill('Erika'); await p.locator('input[type=password]').fill('x'); await p.keyboard.press('Enter'); await p.waitForTimeout(400);} },
  home: { opts: {}, path: '#/' },
  'home-empty': { opts: { isEmpty: true }, path: '#/' },
  import: { opts: {}, path: '#/import' },
  'import-done': { opts: {}, path: '#/import', act: async (p) => { await p.locator('input[type=file]').first().setInputFiles([{ name: 'patients.csv', mimeType: 'text/csv', buffer: Buffer.alloc(2_300_000, 65) }, { name: 'bad.bin', mimeType: 'x/y', buffer: Buffer.from('zz') }]); await p.waitForTimeout(1500); } },
  'import-details': { opts: {}, path: '#/import', act: async (p) => { await p.locator('input[type=file]').first().setInputFiles([{ name: 'patients.csv', mimeType: 'text/csv', buffer: Buffer.alloc(2_300_000, 65) }]); await p.waitForTimeout(1500); await p.locator('[role=row] button').first().click(); await p.waitForTimeout(400);} },
  consent: { opts: {}, path: '#/consent' },
  'consent-dialog': { opts: {}, path: '#/consent', act: async (p) => { await p.locator('[role=row] button').first().click(); await p.waitForTimeout(400); } },
  'round-open': { opts: { isRoundOpen: true }, path: '#/round' },
  'round-run': { opts: { isRoundOpen: true, stepDelayMs: 12 }, path: '#/round', act: async (p) => { await p.getByRole('button', { name: /round 5|Runde 5/ }).click(); await p.waitForTimeout(1600); } },
  'round-review': { opts: {}, path: '#/round' },
  'round-review-full': { opts: {}, path: '#/round' },
  'round-sign': { opts: {}, path: '#/round', act: async (p) => { await p.getByRole('button', { name: /Approve|Freigeben/ }).click(); await p.waitForTimeout(400); } },
  'round-plan': { opts: {}, path: '#/round', act: async (p) => { await p.getByRole('tab').nth(1).click(); await p.waitForTimeout(200); } },
  'round-model': { opts: {}, path: '#/round', act: async (p) => { await p.getByRole('tab').nth(2).click(); await p.waitForTimeout(200); } },
  audit: { opts: {}, path: '#/audit-log', act: async (p) => { await p.getByRole('button', { name: /Verify|prüfen/ }).first().click(); await p.waitForTimeout(300); } },
  'audit-details': { opts: {}, path: '#/audit-log', act: async (p) => { await p.locator('[role=row] button').nth(1).click(); await p.waitForTimeout(400); } },
  'hostile-home': { opts: { isHostile: true }, path: '#/' },
  'hostile-import': { opts: { isHostile: true }, path: '#/import' },
  'hostile-consent': { opts: { isHostile: true }, path: '#/consent' },
  'hostile-plan': { opts: { isHostile: true }, path: '#/round?study=hostile-texts', act: async (p) => { await p.getByRole('tab').nth(1).click(); await p.waitForTimeout(300); } },
  'hostile-audit': { opts: { isHostile: true }, path: '#/audit-log', act: async (p) => { await p.getByRole('button', { name: /Verify|prüfen/ }).first().click(); await p.waitForTimeout(300); } },
};
for (const [name, scene] of Object.entries(scenes)) {
  if (only && only[0] !== 'all' && !only.includes(name)) continue;
  for (const variant of variants) {
    const [scheme, lang, width] = variant.split('-');
    const server = await startFakeSiteServer({ auditCount: 2000, ...scene.opts });
    const context = await browser.newContext({ viewport: { width: Number(width), height: width === '1280' ? 800 : width === '400' ? 800 : 900 }, colorScheme: scheme as 'light', locale: lang === 'de' ? 'de-DE' : 'en-GB' });
    const page = await context.newPage();
    page.on('console', (m) => { if (m.type() !== 'log') console.log(name, variant, m.type(), m.text().slice(0, 300)); });
    page.on('pageerror', (e) => console.log(name, variant, 'pageerror', String(e).slice(0, 400)));
    await page.goto(server.url + scene.path);
    await page.waitForTimeout(700);
    await scene.act?.(page);
    if (name.endsWith('-full')) await page.setViewportSize({ width: Number(width), height: 2300 });
    await page.waitForTimeout(350);
    await page.screenshot({ path: `test-artefacts/${name}.${variant}.png` });
    const axe = await new AxeBuilder({ page }).analyze();
    for (const v of axe.violations) console.log(name, variant, 'AXE', v.id, v.nodes.length, v.nodes[0]?.target, v.nodes[0]?.failureSummary?.slice(0, 250));
    await context.close();
    await server.close();
  }
}
await browser.close();
