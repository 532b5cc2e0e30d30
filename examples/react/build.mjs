// Builds both halves: dist/client for the browser, dist/server for Node.
import { build } from 'vite';

const root = import.meta.dirname;
await build({ root, logLevel: 'warn', build: { outDir: 'dist/client' } });
await build({ root, logLevel: 'warn', build: { outDir: 'dist/server', ssr: 'src/server.tsx' } });
