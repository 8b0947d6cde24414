// Hands the page one thing: the message port of the site. Nothing of Electron is exposed (Electron security points 17 and 20).
import { ipcRenderer } from 'electron';

ipcRenderer.on('consilium:port', (event) => {
  window.postMessage('consilium:port', window.location.origin, event.ports); // point 20
});
