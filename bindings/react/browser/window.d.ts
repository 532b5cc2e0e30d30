/** What the page of `repository-server.js` has: functions that a test hands to it can't import by themselves. */
interface Window {
  load(path: string): Promise<unknown>;
}
