/** Starts the page. */
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { Refusal } from './api/client.ts';
import { App } from './app.tsx';
import { Speaking } from './language/language.tsx';
import { Toasts } from './parts/toasts.tsx';
import './styles/base.css';
import './styles/parts.css';
import './styles/screens.css';

/** A session that has ended asks for a new one, above what was being done. */
const onError = (problem: unknown) => {
  if (problem instanceof Refusal && problem.status === 401) {
    queries.setQueryData(['session'], null);
  }
};

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A refusal stays one; a server that is away may come back.
      retry: (failures, problem) => failures < 2 && (!(problem instanceof Refusal) || problem.status === 0 || problem.status === 503),
    },
  },
});

const base = new URL(document.baseURI).pathname.replace(/\/$/, '');
const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Speaking>
          <Router base={base}>
            <Toasts>
              <App />
            </Toasts>
          </Router>
        </Speaking>
      </QueryClientProvider>
    </StrictMode>,
  );
}
