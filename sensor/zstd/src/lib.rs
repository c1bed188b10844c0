//! Stands in for the crate `zstd`, which compiles C: the calls that `parquet` makes, and no others, over `zrip`, which is
//! Rust without `unsafe`. `[patch.crates-io]` puts it in the other's place; `parquet` compiles with it or not at all.

/// Whole buffers at once.
pub mod bulk {
    use std::io::{self, Cursor};
    use std::marker::PhantomData;

    /// Levels that the encoder knows; those beyond are cut to them.
    const LEVELS: std::ops::RangeInclusive<i32> = -7..=4;

    pub struct Compressor<'a> {
        level: i32,
        dictionary: PhantomData<&'a ()>,
    }

    impl Compressor<'_> {
        /// Never fails; the other crate's does where there is no memory.
        pub fn new(level: i32) -> io::Result<Self> {
            Ok(Compressor {
                level: level.clamp(*LEVELS.start(), *LEVELS.end()),
                dictionary: PhantomData,
            })
        }

        /// Appends a frame at the cursor's position, as far as the vector's capacity reaches, and gives its length.
        pub fn compress_to_buffer(
            &mut self,
            source: &[u8],
            to: &mut Cursor<&mut Vec<u8>>,
        ) -> io::Result<usize> {
            let frame = zrip::compress(source, self.level).map_err(io::Error::other)?;
            append(&frame, to)
        }
    }

    #[derive(Default)]
    pub struct Decompressor<'a> {
        dictionary: PhantomData<&'a ()>,
    }

    impl Decompressor<'_> {
        /// Never fails.
        pub fn new() -> io::Result<Self> {
            Ok(Decompressor::default())
        }

        /// Appends what the frames hold at the cursor's position. An error where that is more than the vector's capacity has
        /// room for, or where a frame is damaged.
        pub fn decompress_to_buffer(
            &mut self,
            source: &[u8],
            to: &mut Cursor<&mut Vec<u8>>,
        ) -> io::Result<usize> {
            let room = to.get_ref().capacity().saturating_sub(position(to));
            let content = zrip::decompress_with_limit(source, room).map_err(io::Error::other)?;
            append(&content, to)
        }
    }

    fn append(bytes: &[u8], to: &mut Cursor<&mut Vec<u8>>) -> io::Result<usize> {
        let from = position(to);
        if to.get_ref().capacity().saturating_sub(from) < bytes.len() {
            return Err(io::Error::other("the buffer is too small for the frame"));
        }
        let end = from + bytes.len();
        to.get_mut().truncate(from);
        to.get_mut().resize(from, 0);
        to.get_mut().extend_from_slice(bytes);
        to.set_position(end as u64);
        Ok(bytes.len())
    }

    fn position(cursor: &Cursor<&mut Vec<u8>>) -> usize {
        usize::try_from(cursor.position()).unwrap_or(usize::MAX)
    }
}

/// The names that the other crate has for what lies below it.
pub mod zstd_safe {
    use std::fmt;

    #[derive(Debug)]
    pub struct ContentSizeError;

    impl fmt::Display for ContentSizeError {
        fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("not the beginning of a zstd frame")
        }
    }

    /// The most bytes that a frame of this content can have.
    pub fn compress_bound(len: usize) -> usize {
        zrip::compress_bound(len)
    }

    /// What the frame says that its content is long; it may not say.
    pub fn get_frame_content_size(frame: &[u8]) -> Result<Option<u64>, ContentSizeError> {
        let header =
            zrip::frame::header::parse_frame_header(frame).map_err(|_| ContentSizeError)?;
        Ok(header.frame_content_size)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::bulk::{Compressor, Decompressor};
    use super::zstd_safe::{compress_bound, get_frame_content_size};

    fn compress(content: &[u8], level: i32) -> Vec<u8> {
        let mut to = b"before".to_vec();
        to.reserve(compress_bound(content.len()));
        let mut cursor = Cursor::new(&mut to);
        cursor.set_position(6);
        let mut compressor = Compressor::new(level).unwrap();
        let len = compressor.compress_to_buffer(content, &mut cursor).unwrap();
        assert_eq!(&to[..6], b"before");
        assert_eq!(to.len(), 6 + len);
        to.split_off(6)
    }

    fn decompress(frame: &[u8], room: usize) -> std::io::Result<Vec<u8>> {
        let mut to = Vec::with_capacity(room);
        let mut cursor = Cursor::new(&mut to);
        Decompressor::new()?.decompress_to_buffer(frame, &mut cursor)?;
        Ok(to)
    }

    fn contents() -> [Vec<u8>; 4] {
        let noise = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
        [
            Vec::new(),
            b"a".to_vec(),
            vec![7; 300_000],
            (0..300_000).map(noise).collect(),
        ]
    }

    #[test]
    fn what_goes_in_comes_out() {
        for level in [i32::MIN, -1, 0, 1, 3, i32::MAX] {
            for content in contents() {
                let frame = compress(&content, level);
                assert_eq!(decompress(&frame, content.len()).unwrap(), content);
                let size = get_frame_content_size(&frame).unwrap();
                assert!(size.is_none_or(|size| size == content.len() as u64));
            }
        }
    }

    #[test]
    fn more_than_there_is_room_for_is_an_error() {
        let frame = compress(&[7; 5000], 1);
        assert!(decompress(&frame, 100).is_err());
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let content: Vec<u8> = (0..5000u32).map(|n| ((n * n) >> 5) as u8).collect();
        let frame = compress(&content, 1);
        for place in 0..frame.len() {
            let mut damaged = frame.clone();
            damaged[place] ^= 0x5a;
            let _ = decompress(&damaged, content.len());
            let _ = decompress(&frame[..place], content.len());
            let _ = get_frame_content_size(&damaged[..place]);
        }
    }
}
