/** A snapshot under a key of Redis: `@esclusa/node/redis`. */
export { type RedisOptions, redis } from './stores/redis.js';
