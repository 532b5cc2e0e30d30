/** The method by which Node, Bun and Deno show an object on the console; without it private fields are invisible. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;
