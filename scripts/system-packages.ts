// What the test suites use from the operating system: each Debian package, how to see that it is there, and what is left out without it.
import { existsSync } from 'node:fs';

export interface SystemPackage {
  readonly name: string;
  /** A file that the package brings. */
  readonly file: string;
  /** What is left out of `npm test` where it is not installed. */
  readonly leftOut: string;
}

export const chromium: SystemPackage = {
  name: 'chromium',
  file: process.env.CHROMIUM ?? '/usr/bin/chromium',
  leftOut: 'the e2e suite; WebGPU, over the SwiftShader that it brings',
};

/** Where Debian puts it for this architecture. */
const vulkanLoader = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libvulkan.so.1`;

export const systemPackages: readonly SystemPackage[] = [
  chromium,
  {
    name: 'dcmtk',
    file: '/usr/bin/storescu',
    leftOut: 'C-STORE from dcmtk, pixel values beside dcmtk, DICOMDIR from dcmmkdir',
  },
  { name: 'libvulkan1', file: vulkanLoader, leftOut: 'training on WebGPU' },
  { name: 'orthanc', file: '/usr/sbin/Orthanc', leftOut: 'C-STORE from Orthanc' },
  {
    name: 'orthanc-dicomweb',
    file: '/usr/share/orthanc/plugins/libOrthancDicomWeb.so',
    leftOut: 'DICOMweb from Orthanc',
  },
  { name: 'dicom3tools', file: '/usr/bin/dciodvfy', leftOut: 'dciodvfy over de-identified files' },
  { name: 'libgdcm-tools', file: '/usr/bin/gdcmconv', leftOut: 'pixel values beside gdcm' },
  {
    name: 'python3-pydicom',
    file: '/usr/lib/python3/dist-packages/pydicom/__init__.py',
    leftOut: 'data sets beside pydicom',
  },
  {
    // pydicom only recommends it, and reads no pixels without it.
    name: 'python3-numpy',
    file: '/usr/lib/python3/dist-packages/numpy/__init__.py',
    leftOut: 'pixel values beside pydicom',
  },
];

export function isInstalled({ file }: SystemPackage): boolean {
  return existsSync(file);
}
