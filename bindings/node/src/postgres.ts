/** A table of flags in Postgres: `@esclusa/node/postgres`. */
export { type PostgresOptions, postgres } from './stores/postgres.js';
