// Builds the renderer into dist/renderer. Nothing is inlined and no polyfill is injected, so that the CSP of index.html holds.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type UserConfig } from 'vite';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The development server injects inline scripts for hot reload, so it alone runs without the policy. Never part of a build. */
const withoutPolicyInDevelopment: Plugin = {
  name: 'consilium-development-without-policy',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ''),
};

/** Also the `renderer` part of electron.vite.config.ts. */
export const rendererConfig: UserConfig = {
  root: fromHere('./src/renderer'),
  base: './',
  plugins: [react(), withoutPolicyInDevelopment],
  build: {
    outDir: fromHere('./dist/renderer'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: fromHere('./src/renderer/index.html') },
  },
};

export default defineConfig(rendererConfig);
