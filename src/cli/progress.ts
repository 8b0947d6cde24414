// One moving line on a terminal's standard error; nothing where standard error is a file.

const width = 28;

/** Shows `label` with a bar for `share` (0 to 1). */
export function showProgress(label: string, share: number): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  process.stderr.write(`\r\u001b[2K${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${label}`);
  if (share >= 1) process.stderr.write('\n');
}
