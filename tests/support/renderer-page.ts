// Opens the built renderer over a fake site and fails on whatever a page should never do: errors, refused content, axe findings.
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, expect, type Page } from '@playwright/test';
import type { FakeSiteOptions } from './fake-site-router.ts';
import { type FakeSiteServer, startFakeSiteServer } from './fake-site-server.ts';

export interface RendererPageOptions {
  readonly site?: FakeSiteOptions;
  /** Address behind the #, e.g. '/consent'. */
  readonly address?: string;
  readonly language?: 'en' | 'de';
  readonly colorScheme?: 'light' | 'dark';
}

export interface RendererPage {
  readonly page: Page;
  readonly server: FakeSiteServer;
  /** Console errors, warnings about the policy, uncaught errors. */
  readonly troubles: readonly string[];
  close(): Promise<void>;
}

export async function openRenderer(
  browser: Browser,
  options: RendererPageOptions = {},
): Promise<RendererPage> {
  const server = await startFakeSiteServer({ auditCount: 3_000, ...options.site });
  const context = await browser.newContext({
    locale: options.language === 'de' ? 'de-DE' : 'en-GB',
    colorScheme: options.colorScheme ?? 'light',
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy'))
      troubles.push(message.text());
  });
  await page.goto(`${server.url}#${options.address ?? '/'}`);
  await expect(page.locator('h1')).toBeVisible();
  return {
    page,
    server,
    troubles,
    close: async () => {
      await context.close();
      await server.close();
    },
  };
}

/**
 * Every rule of axe, WCAG and best practice alike. What is still fading in has no final colours, so that is waited for: a frame or two
 * pass before what was just opened begins to.
 */
export async function expectNoAxeFindings(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate<boolean>(isStillAfterFrames)).toBe(true);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => ({ id, targets: nodes.map((node) => node.target.join(' ')) })),
  ).toEqual([]);
}

/** A progress bar that grows is never still, and its width is no colour. Runs in the page, as below. */
const isStillAfterFrames = `(async () => {
  for (let frame = 0; frame < 4; frame += 1) {
    await new Promise((done) => requestAnimationFrame(done));
    const isFading = (animation) =>
      animation instanceof CSSTransition && /color|opacity|filter|shadow/.test(animation.transitionProperty);
    if (document.getAnimations().some(isFading)) return false;
  }
  return true;
})()`;

/** Runs in the page. A string, because these tests are typed without the DOM. */
const focusedName = `(() => {
  const element = document.activeElement;
  const label = element?.labels?.[0]?.textContent ?? element?.textContent;
  return element?.getAttribute('aria-label') ?? label ?? '';
})()`;

/** Presses Tab until `name` has the focus, as a person without a mouse would. */
export async function tabTo(page: Page, name: RegExp, limit = 60): Promise<void> {
  for (let presses = 0; presses < limit; presses += 1) {
    const focused = await page.evaluate<string>(focusedName);
    if (name.test(focused)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no focus on ${name} after ${limit} Tab presses`);
}
