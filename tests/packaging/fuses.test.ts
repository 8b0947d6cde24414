// The fuses of the packaged program, read back from its bytes (Electron security point 19, security.md X2).
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { describe, expect, it } from 'vitest';
import { isPackaged, packagedApp } from '#support/packaged-app.ts';

const { ENABLE, DISABLE } = FuseState;

describe.skipIf(!isPackaged)('the fuses of the packaged program', () => {
  it.each<[keyof typeof FuseV1Options, FuseState, string]>([
    ['RunAsNode', DISABLE, 'ELECTRON_RUN_AS_NODE would make the signed program run any script'],
    ['EnableCookieEncryption', ENABLE, 'what Chromium keeps is encrypted'],
    ['EnableNodeOptionsEnvironmentVariable', DISABLE, 'NODE_OPTIONS would load code'],
    ['EnableNodeCliInspectArguments', DISABLE, '--inspect would open a debugger on decrypted records'],
    ['EnableEmbeddedAsarIntegrityValidation', ENABLE, 'a changed archive does not start (macOS, Windows)'],
    ['OnlyLoadAppFromAsar', ENABLE, 'a folder beside the archive is not started in its place'],
    ['LoadBrowserProcessSpecificV8Snapshot', DISABLE, 'one snapshot for all processes'],
    ['GrantFileProtocolExtraPrivileges', DISABLE, 'no page of ours is a file'],
    ['WasmTrapHandlers', ENABLE, 'as shipped: bounds of WebAssembly memory are checked by the processor'],
  ])('%s is %i: %s', async (fuse, state) => {
    const wire = await getCurrentFuseWire(packagedApp.program);
    expect(wire[FuseV1Options[fuse]]).toBe(state);
  });

  it('are all of them: a fuse that is new in Electron needs a decision here', async () => {
    const { version, ...fuses } = await getCurrentFuseWire(packagedApp.program);
    expect(version).toBe('1');
    expect(Object.keys(fuses)).toHaveLength(9);
  });
});
