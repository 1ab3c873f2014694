//! MessagePack, the part of it that frames use: unsigned integers, booleans, nil, byte strings,
//! arrays. Nothing here recurses, allocates by a length that it has only been told, or panics.

use crate::fault::DecodeError;

/// A place in a body.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { left: body }
    }

    /// How many bytes have not been read.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// An integer from 0 to `max`, in any of MessagePack's integer formats.
    #[inline]
    pub(crate) fn uint(&mut self, max: u64) -> Result<u64, DecodeError> {
        let before = self.left;
        match self.any_uint() {
            Some(value) if value <= max => Ok(value),
            Some(value) => Err(expected_uint(max, &value.to_string())),
            None => Err(expected_uint(max, what(before))),
        }
    }

    #[inline]
    fn any_uint(&mut self) -> Option<u64> {
        match self.marker()? {
            small @ 0x00..=0x7f => Some(u64::from(small)),
            0xcc => self.big_endian::<1>(),
            0xcd => self.big_endian::<2>(),
            0xce => self.big_endian::<4>(),
            0xcf => self.big_endian::<8>(),
            // Some encoders write small numbers as signed; a set sign bit is a negative number.
            0xd0 => self.big_endian::<1>().filter(|value| value >> 7 == 0),
            0xd1 => self.big_endian::<2>().filter(|value| value >> 15 == 0),
            0xd2 => self.big_endian::<4>().filter(|value| value >> 31 == 0),
            0xd3 => self.big_endian::<8>().filter(|value| value >> 63 == 0),
            _ => None,
        }
    }

    pub(crate) fn bool(&mut self) -> Result<bool, DecodeError> {
        let before = self.left;
        match self.marker() {
            Some(0xc2) => Ok(false),
            Some(0xc3) => Ok(true),
            _ => Err(DecodeError::unexpected("a boolean", what(before))),
        }
    }

    /// Whether nil comes next; takes it if so.
    pub(crate) fn nil(&mut self) -> bool {
        let is_nil = self.left.first() == Some(&0xc0);
        if is_nil {
            self.left = &self.left[1..];
        }
        is_nil
    }

    /// A byte string; borrowed from the body.
    pub(crate) fn bin(&mut self) -> Result<&'a [u8], DecodeError> {
        let before = self.left;
        let length = match self.marker() {
            Some(0xc4) => self.big_endian::<1>(),
            Some(0xc5) => self.big_endian::<2>(),
            Some(0xc6) => self.big_endian::<4>(),
            _ => return Err(DecodeError::unexpected("a byte string", what(before))),
        };
        let Some(length) = length else {
            return Err(DecodeError::unexpected(
                "a byte string",
                "the end of the frame",
            ));
        };
        let cut = usize::try_from(length)
            .ok()
            .and_then(|length| self.left.split_at_checked(length));
        let Some((bytes, rest)) = cut else {
            return Err(DecodeError::unexpected(
                &format!("a byte string of {length} bytes"),
                format_args!("the end of the frame after {}", self.left.len()),
            ));
        };
        self.left = rest;
        Ok(bytes)
    }

    /// The length of an array; never more than the bytes that are left, since each item has one.
    pub(crate) fn array(&mut self) -> Result<usize, DecodeError> {
        let before = self.left;
        let length = match self.marker() {
            Some(small @ 0x90..=0x9f) => Some(u64::from(small & 0x0f)),
            Some(0xdc) => self.big_endian::<2>(),
            Some(0xdd) => self.big_endian::<4>(),
            _ => return Err(DecodeError::unexpected("an array", what(before))),
        };
        let Some(length) = length else {
            return Err(DecodeError::unexpected("an array", "the end of the frame"));
        };
        match usize::try_from(length) {
            Ok(items) if items <= self.left.len() => Ok(items),
            _ => Err(DecodeError::unexpected(
                &format!("an array of {length} items"),
                format_args!("{} bytes to the end of the frame", self.left.len()),
            )),
        }
    }

    #[inline]
    fn marker(&mut self) -> Option<u8> {
        let (&marker, rest) = self.left.split_first()?;
        self.left = rest;
        Some(marker)
    }

    #[inline]
    fn big_endian<const N: usize>(&mut self) -> Option<u64> {
        let (bytes, rest) = self.left.split_first_chunk::<N>()?;
        self.left = rest;
        Some(
            bytes
                .iter()
                .fold(0, |value, &byte| value << 8 | u64::from(byte)),
        )
    }
}

#[cold]
fn expected_uint(max: u64, got: &str) -> DecodeError {
    DecodeError::unexpected(&format!("an integer 0..{max}"), got)
}

/// What stands at the beginning of `bytes`, for people.
#[cold]
fn what(bytes: &[u8]) -> &'static str {
    match bytes.first() {
        None => "the end of the frame",
        Some(0x00..=0x7f) => "an integer",
        Some(0xcc..=0xd3) => match Reader::new(bytes).any_uint() {
            Some(_) => "an integer",
            None if bytes.len() > (1 << (bytes[0] & 3)) => "a negative integer",
            None => "the end of the frame",
        },
        Some(0xe0..=0xff) => "a negative integer",
        Some(0x80..=0x8f | 0xde | 0xdf) => "map",
        Some(0x90..=0x9f | 0xdc | 0xdd) => "array",
        Some(0xa0..=0xbf | 0xd9..=0xdb) => "str",
        Some(0xc0) => "nil",
        Some(0xc1) => "a byte that MessagePack does not use",
        Some(0xc2 | 0xc3) => "bool",
        Some(0xc4..=0xc6) => "bin",
        Some(0xc7..=0xc9 | 0xd4..=0xd8) => "ext",
        Some(0xca | 0xcb) => "float",
    }
}
