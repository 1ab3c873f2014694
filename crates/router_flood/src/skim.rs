//! MessagePack as a client reads it: by position, whatever the fields are, without an object for each
//! message. Nothing recurses or allocates.

/// One item of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Uint(u64),
    Bytes(&'a [u8]),
    Nil,
    Array(usize),
    Map(usize),
    /// Floats and negative numbers, which nothing that a flood reads has.
    Other,
}

/// A place in a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skim<'a> {
    left: &'a [u8],
}

/// How many fields of an event are kept: all that any event that a flood reads has.
pub(crate) const FIELDS: usize = 12;

/// An event: its numbers by position, `[kind, version, at, ...]`; what is no number is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) fields: [u64; FIELDS],
    /// Its last byte string: an arrival's key.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Skim<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { left: body }
    }

    /// The next item; of an array or a map only its length.
    pub(crate) fn token(&mut self) -> Option<Token<'a>> {
        let (&marker, rest) = self.left.split_first()?;
        self.left = rest;
        let small = |bits: u8| usize::from(marker & bits);
        Some(match marker {
            0x00..=0x7f => Token::Uint(marker.into()),
            0x80..=0x8f => Token::Map(small(0x0f)),
            0x90..=0x9f => Token::Array(small(0x0f)),
            0xa0..=0xbf => Token::Bytes(self.take(small(0x1f))?),
            0xc0 => Token::Nil,
            0xc2 | 0xc3 => Token::Uint((marker & 1).into()),
            0xc4 | 0xd9 => self.bytes(1)?,
            0xc5 | 0xda => self.bytes(2)?,
            0xc6 | 0xdb => self.bytes(4)?,
            0xca => self.other(4)?,
            0xcb => self.other(8)?,
            0xcc..=0xcf => Token::Uint(self.number(1 << (marker & 3))?),
            0xd0..=0xd3 => self.other(1 << (marker & 3))?,
            0xdc => Token::Array(self.number(2)? as usize),
            0xdd => Token::Array(self.number(4)? as usize),
            0xde => Token::Map(self.number(2)? as usize),
            0xdf => Token::Map(self.number(4)? as usize),
            0xe0..=0xff => Token::Other,
            // Extensions: no frame has them.
            _ => return None,
        })
    }

    pub(crate) fn uint(&mut self) -> Option<u64> {
        match self.token()? {
            Token::Uint(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn array(&mut self) -> Option<usize> {
        match self.token()? {
            Token::Array(length) => Some(length),
            _ => None,
        }
    }

    /// Text; nil is empty.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        match self.token()? {
            Token::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Token::Nil => Some(""),
            _ => None,
        }
    }

    /// An event's body.
    pub(crate) fn event(&mut self) -> Option<Event<'a>> {
        let mut event = Event {
            fields: [0; FIELDS],
            bytes: &[],
        };
        for position in 0..self.array()? {
            match self.token()? {
                Token::Uint(value) if position < FIELDS => event.fields[position] = value,
                Token::Bytes(bytes) => event.bytes = bytes,
                Token::Array(items) => self.skip(items)?,
                Token::Map(pairs) => self.skip(2 * pairs)?,
                _ => (),
            }
        }
        Some(event)
    }

    fn skip(&mut self, mut items: usize) -> Option<()> {
        while items > 0 {
            items -= 1;
            items += match self.token()? {
                Token::Array(inner) => inner,
                Token::Map(pairs) => 2 * pairs,
                _ => 0,
            };
        }
        Some(())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.left.split_at_checked(length)?;
        self.left = rest;
        Some(bytes)
    }

    fn number(&mut self, length: usize) -> Option<u64> {
        let bytes = self.take(length)?;
        Some(
            bytes
                .iter()
                .fold(0, |value, &byte| value << 8 | u64::from(byte)),
        )
    }

    fn bytes(&mut self, length: usize) -> Option<Token<'a>> {
        let length = self.number(length)? as usize;
        self.take(length).map(Token::Bytes)
    }

    fn other(&mut self, length: usize) -> Option<Token<'a>> {
        self.take(length).map(|_| Token::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use router_wire::{decode_event, encode_event};

    #[test]
    fn an_event_is_read_by_position() {
        // [66, 1, 70000, 300, 4, bin(16), 5, 1]
        let mut body = vec![
            0x98, 66, 1, 0xce, 0, 1, 0x11, 0x70, 0xcd, 1, 0x2c, 4, 0xc4, 16,
        ];
        body.extend([9; 16]);
        body.extend([5, 1]);
        let mut again = Vec::new();
        encode_event(&decode_event(&body).expect("an arrived"), &mut again);
        assert_eq!(again, body);
        let event = Skim::new(&body).event().unwrap();
        assert_eq!(event.fields[..5], [66, 1, 70_000, 300, 4]);
        assert_eq!(
            (event.bytes, event.fields[6], event.fields[7]),
            (&[9; 16][..], 5, 1)
        );
    }

    #[test]
    fn nested_lists_are_passed_over_and_a_cut_body_is_noticed() {
        // [112, [1, [2, "ab"], {3: -1}], 1.5, 7]
        let body = [
            0x94, 112, 0x93, 1, 0x92, 2, 0xa2, b'a', b'b', 0x81, 3, 0xff, 0xca, 0, 0, 0, 0, 7,
        ];
        assert_eq!(
            Skim::new(&body).event().unwrap().fields[..4],
            [112, 0, 0, 7]
        );
        for end in 0..body.len() {
            assert!(Skim::new(&body[..end]).event().is_none(), "{end}");
        }
    }
}
