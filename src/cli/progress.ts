// One moving line on a terminal's standard error; nothing where standard error is a file.

const width = 24;
const repaintMs = 100;
let paintedAtMs = 0;
let isOpen = false;

/** Shows `label` with a bar for `share` (0 to 1), cut to the terminal's width. */
export function showProgress(label: string, share: number): void {
  if (!process.stderr.isTTY) return;
  const isDone = share >= 1;
  const nowMs = performance.now();
  if (!isDone && nowMs - paintedAtMs < repaintMs) return;
  paintedAtMs = nowMs;
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  const line = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${label}`;
  process.stderr.write(`\r\u001b[2K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  isOpen = true;
  if (isDone) endProgress();
}

/** Leaves the line, so that what is written next begins at the margin. */
export function endProgress(): void {
  if (isOpen) process.stderr.write('\n');
  isOpen = false;
}
