/** By this name Node, Bun and Deno ask an object how the console shows it; private fields are not seen otherwise. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;
