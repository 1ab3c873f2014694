//! Why bytes are not a message: the place and what stood there.

use std::fmt;

/// Bytes that are no message of a known kind and version.
///
/// Reads like `arrive.weight: expected an integer 0..4294967295, got str`.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    /// `arrive.requires[2].skill`, grown from its end to its beginning.
    place: String,
    what: String,
}

// Everything here is cold: the text is only put together for bytes that are refused.
impl DecodeError {
    #[cold]
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            place: String::new(),
            what: what.into(),
        }))
    }

    #[cold]
    pub(crate) fn unexpected(expected: &str, got: impl fmt::Display) -> Self {
        Self::new(format!("expected {expected}, got {got}"))
    }

    #[cold]
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        let separator = if self.0.place.is_empty() || self.0.place.starts_with('[') {
            ""
        } else {
            "."
        };
        self.0.place = format!("{name}{separator}{}", self.0.place);
        self
    }

    #[cold]
    pub(crate) fn in_item(mut self, index: usize) -> Self {
        let separator = if self.0.place.is_empty() || self.0.place.starts_with('[') {
            ""
        } else {
            "."
        };
        self.0.place = format!("[{index}]{separator}{}", self.0.place);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.place.is_empty() {
            return f.write_str(&self.0.what);
        }
        write!(f, "{}: {}", self.0.place, self.0.what)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodeError({self})")
    }
}

impl std::error::Error for DecodeError {}
