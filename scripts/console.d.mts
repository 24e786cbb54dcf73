/** What is in console/dist was built from the sources as they are. */
export function isConsoleBuilt(): boolean;
export function buildConsole(): Promise<void>;
