// The recipe of section 6 of SEMANTICS.md, independent of the engine: from hashes to a bucket, and back from a bucket
// to a unit that has it. Every step of XXH3 for eight bytes can be undone, so nothing has to be searched for long.

const MASK = (1n << 64n) - 1n;
const PRIME = 0x9fb21c651e98df25n;
/** The inverse of PRIME modulo 2^64, by Newton's method. */
const INVERSE = (() => {
  let inverse = PRIME;
  for (let bits = 3; bits < 64; bits *= 2) {
    inverse = (inverse * (2n - PRIME * inverse)) & MASK;
  }
  return inverse;
})();
/** Bytes 8 to 15 and 16 to 23 of XXH3's secret. */
const SECRET = 0x1cad21f72c81017cn ^ 0xdb979083e96dd4den;

const rotate = (h, by) => ((h << by) | (h >> (64n - by))) & MASK;
const swapBytes = (word) =>
  ((word & 0xffn) << 24n) | ((word & 0xff00n) << 8n) | ((word >> 8n) & 0xff00n) | ((word >> 24n) & 0xffn);
const flipOf = (seed) => (SECRET - (seed ^ (swapBytes(seed & 0xffffffffn) << 32n))) & MASK;
/** The two halves of eight bytes change places. */
const halves = (word) => ((word << 32n) | (word >> 32n)) & MASK;

/** XXH3_64 of eight little-endian bytes with a seed. */
export function hash8(word, seed) {
  let h = halves(word) ^ flipOf(seed);
  h ^= rotate(h, 49n) ^ rotate(h, 24n);
  h = (h * PRIME) & MASK;
  h ^= (h >> 35n) + 8n;
  h = (h * PRIME) & MASK;
  return h ^ (h >> 28n);
}

/** The eight bytes that have this hash with this seed. */
export function unhash8(hash, seed) {
  let h = hash ^ (hash >> 28n) ^ (hash >> 56n);
  h = (h * INVERSE) & MASK;
  h ^= (h >> 35n) + 8n;
  h = (h * INVERSE) & MASK;
  // The step is 1 + x^49 + x^24 where x^64 = 1, over bits; its 64th power is 1, so its 63rd power undoes it.
  for (let power = 1n; power < 64n; power *= 2n) {
    h ^= rotate(h, (49n * power) % 64n) ^ rotate(h, (24n * power) % 64n);
  }
  return halves(h ^ flipOf(seed));
}

/** The bucket of a unit in a salt, both as their hashes (6.1). */
export function bucketOf(unitHash, saltHash) {
  return Number((hash8(unitHash, saltHash) * 100_000n) >> 64n);
}

/** A unit of eight ASCII characters that has this bucket in the salt of this hash. */
export function unitIn(bucket, saltHash) {
  const lowest = ((BigInt(bucket) << 64n) + 99_999n) / 100_000n;
  for (let h = lowest; ; h++) {
    const bytes = unhash8(unhash8(h, saltHash), 0n);
    if ((bytes & 0x8080808080808080n) === 0n) {
      return String.fromCharCode(...Array.from({ length: 8 }, (_, at) => Number((bytes >> BigInt(8 * at)) & 0xffn)));
    }
  }
}
