// Electron as far as the shell uses it: remembers what it was told, and lets a test play the system, the page and the processes.
import { EventEmitter } from 'node:events';
import type {
  BrowserWindowConstructorOptions,
  CustomScheme,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  NotificationConstructorOptions,
} from 'electron';
import type { ElectronApi } from '../../src/main/desktop-shell.ts';

/** An event of Electron: whether somebody stopped what it announced. */
export class FakeEvent {
  isPrevented = false;
  readonly url: string;
  constructor(url = '') {
    this.url = url;
  }
  preventDefault(): void {
    this.isPrevented = true;
  }
}

export class FakePort {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A frame, and what it was handed. */
export class FakeFrame {
  url = 'app://consilium/';
  parent: FakeFrame | null = null;
  detached = false;
  readonly posted: { readonly channel: string; readonly ports: readonly FakePort[] }[] = [];
  postMessage(channel: string, _message: unknown, ports: FakePort[] = []): void {
    this.posted.push({ channel, ports });
  }
}

export class FakeContents extends EventEmitter {
  mainFrame = new FakeFrame();
  reloads = 0;
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  reload(): void {
    this.reloads += 1;
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }
  /** Whether a navigation event with `url` is stopped. */
  isStopped(event: 'will-navigate' | 'will-redirect' | 'will-frame-navigate', url: string): boolean {
    const fired = new FakeEvent(url);
    this.emit(event, fired);
    return fired.isPrevented;
  }
}

export class FakeWindow extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents = new FakeContents();
  readonly loaded: string[] = [];
  shown = 0;
  bounds = { x: 10, y: 20, width: 1000, height: 700 };
  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }
  async loadURL(address: string): Promise<void> {
    this.loaded.push(address);
  }
  show(): void {
    this.shown += 1;
  }
  focus(): void {}
  restore(): void {}
  maximize(): void {}
  isMinimized(): boolean {
    return false;
  }
  isMaximized(): boolean {
    return false;
  }
  getNormalBounds() {
    return this.bounds;
  }
}

export class FakeProcess extends EventEmitter {
  readonly modulePath: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly received: { readonly message: unknown; readonly ports: readonly FakePort[] }[] = [];
  isKilled = false;
  constructor(modulePath: string, args: string[], options: { env?: Record<string, string | undefined> }) {
    super();
    this.modulePath = modulePath;
    this.args = args;
    this.environment = options.env ?? {};
  }
  postMessage(message: unknown, ports: FakePort[] = []): void {
    this.received.push({ message, ports });
  }
  kill(): boolean {
    this.isKilled = true;
    return true;
  }
}

export class FakeApp extends EventEmitter {
  isPackaged = true;
  hasLock = true;
  quits = 0;
  isSandboxed = false;
  readonly protocols: string[] = [];
  readonly userData: string;
  languages = ['en-GB'];
  constructor(userData: string) {
    super();
    this.userData = userData;
  }
  enableSandbox(): void {
    this.isSandboxed = true;
  }
  userModelId = '';
  setAppUserModelId(id: string): void {
    this.userModelId = id;
  }
  requestSingleInstanceLock(): boolean {
    return this.hasLock;
  }
  setAsDefaultProtocolClient(scheme: string): boolean {
    this.protocols.push(scheme);
    return true;
  }
  quit(): void {
    this.quits += 1;
  }
  async whenReady(): Promise<void> {}
  getPath(): string {
    return this.userData;
  }
  getVersion(): string {
    return '0.1.0';
  }
  getPreferredSystemLanguages(): string[] {
    return this.languages;
  }
}

type Answer = (granted: unknown) => void;

export class FakeSession extends EventEmitter {
  requestHandler: (
    contents: null,
    permission: string,
    answer: Answer,
    details: { requestingUrl: string },
  ) => void = (_contents, _permission, answer) => answer(true);
  checkHandler: (contents: null, permission: string, origin: string) => boolean = () => true;
  deviceHandler: (details: object) => boolean = () => true;
  displayHandler: (request: object, answer: Answer) => void = (_request, answer) =>
    answer({ video: 'screen' });
  bluetoothHandler: (details: object, answer: Answer) => void = (_details, answer) =>
    answer({ confirmed: true });
  hasSpellChecker = true;
  setPermissionRequestHandler(handler: FakeSession['requestHandler']): void {
    this.requestHandler = handler;
  }
  setPermissionCheckHandler(handler: FakeSession['checkHandler']): void {
    this.checkHandler = handler;
  }
  setDevicePermissionHandler(handler: FakeSession['deviceHandler']): void {
    this.deviceHandler = handler;
  }
  setDisplayMediaRequestHandler(handler: FakeSession['displayHandler']): void {
    this.displayHandler = handler;
  }
  setBluetoothPairingHandler(handler: FakeSession['bluetoothHandler']): void {
    this.bluetoothHandler = handler;
  }
  setSpellCheckerEnabled(isEnabled: boolean): void {
    this.hasSpellChecker = isEnabled;
  }
}

/** One desktop: its modules as the shell takes them, and what a test may look at. */
export function createFakeElectron(userData: string) {
  const app = new FakeApp(userData);
  const session = new FakeSession();
  const told = {
    windows: [] as FakeWindow[],
    processes: [] as FakeProcess[],
    schemes: [] as CustomScheme[],
    pages: undefined as ((request: Request) => Response) | undefined,
    opened: [] as string[],
    shownFiles: [] as string[],
    messages: [] as MessageBoxOptions[],
    notifications: [] as NotificationConstructorOptions[],
    menus: [] as MenuItemConstructorOptions[][],
    toolTips: [] as string[],
    awake: new Set<number>(),
    chosenFiles: [] as string[],
    /** Button that the person presses. */
    pressed: 0,
    keyStoreBackend: 'gnome_libsecret',
  };
  const record = (options: MessageBoxOptions) => {
    told.messages.push(options);
    return Promise.resolve({ response: told.pressed, checkboxChecked: false });
  };
  let channels = 0;
  const electron = {
    app,
    session: { defaultSession: session },
    protocol: {
      registerSchemesAsPrivileged: (schemes: CustomScheme[]) => told.schemes.push(...schemes),
      handle: (_scheme: string, handler: (request: Request) => Response) => {
        told.pages = handler;
      },
    },
    BrowserWindow: class extends FakeWindow {
      constructor(options: BrowserWindowConstructorOptions) {
        super(options);
        told.windows.push(this);
        app.emit('web-contents-created', new FakeEvent(), this.webContents);
      }
    },
    utilityProcess: {
      fork: (modulePath: string, args: string[], options: { env?: Record<string, string | undefined> }) => {
        const started = new FakeProcess(modulePath, args, options);
        told.processes.push(started);
        return started;
      },
    },
    MessageChannelMain: class {
      readonly port1: FakePort;
      readonly port2: FakePort;
      constructor() {
        channels += 1;
        this.port1 = new FakePort(`${channels} of the process`);
        this.port2 = new FakePort(`${channels} of the other side`);
      }
    },
    dialog: {
      showMessageBox: (first: MessageBoxOptions | FakeWindow, second?: MessageBoxOptions) =>
        record(second ?? (first as MessageBoxOptions)),
      showOpenDialog: async () => ({ canceled: told.chosenFiles.length === 0, filePaths: told.chosenFiles }),
    },
    Menu: {
      buildFromTemplate: (template: MenuItemConstructorOptions[]) => template,
      setApplicationMenu: (menu: MenuItemConstructorOptions[]) => told.menus.push(menu),
    },
    nativeImage: { createEmpty: () => ({}), createFromBitmap: (pixels: Buffer) => ({ pixels }) },
    Tray: class extends EventEmitter {
      setImage(): void {}
      setContextMenu(): void {}
      setToolTip(text: string): void {
        told.toolTips.push(text);
      }
    },
    Notification: class extends EventEmitter {
      static isSupported(): boolean {
        return true;
      }
      readonly options: NotificationConstructorOptions;
      constructor(options: NotificationConstructorOptions) {
        super();
        this.options = options;
      }
      show(): void {
        told.notifications.push(this.options);
      }
    },
    powerSaveBlocker: {
      start: () => {
        const id = told.awake.size + 1;
        told.awake.add(id);
        return id;
      },
      stop: (id: number) => told.awake.delete(id),
      isStarted: (id: number) => told.awake.has(id),
    },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    shell: {
      openExternal: async (address: string) => {
        told.opened.push(address);
      },
      showItemInFolder: (file: string) => told.shownFiles.push(file),
    },
    safeStorage: {
      isAsyncEncryptionAvailable: async () => true,
      getSelectedStorageBackend: () => told.keyStoreBackend,
      encryptStringAsync: async (text: string) => Buffer.from(`wrapped ${text}`),
      decryptStringAsync: async (bytes: Buffer) => ({
        result: bytes.toString().replace('wrapped ', ''),
        shouldReEncrypt: false,
      }),
    },
    net: { fetch: async () => new Response('', { status: 404 }) },
  } as unknown as ElectronApi;
  return { electron, app, session, told };
}

export type FakeElectron = ReturnType<typeof createFakeElectron>;
