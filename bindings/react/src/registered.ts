/**
 * The flags of an app, for its types. `esclusa codegen typescript --react` adds them to this interface; without that
 * every text is a key, and values are any JSON.
 */
import type { JsonValue } from './flags.js';

/** The flags that an app has registered, under `flags`. */
export interface Registered {}

/** The values of flags, by key. */
export type RegisteredFlags = Registered extends { flags: infer Flags } ? Flags : { [key: string]: { value: unknown; variant: string | null } };

/** The keys of the app's flags. */
export type FlagKey = Extract<keyof RegisteredFlags, string>;

/** The value of a flag, on or off; any JSON if the type does not say. */
export type FlagValue<Key extends FlagKey> = RegisteredFlags[Key] extends { value: infer Value } ? (unknown extends Value ? JsonValue : Value) : JsonValue;

/** The variants of a flag, null for none. */
export type FlagVariant<Key extends FlagKey> = RegisteredFlags[Key] extends { variant: infer Variant } ? Variant : string | null;
