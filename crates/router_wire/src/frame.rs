//! Frames: a length (u32, big-endian) and a body.

use crate::fault::DecodeError;

/// The bytes of a frame's length.
pub const LENGTH_BYTES: usize = 4;
/// The longest body that a client may send, `configure` aside.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// The longest body of `configure`: 200,000 agents with ten skills each are about 14 MiB.
pub const MAX_CONFIGURE_BYTES: usize = 16 * 1024 * 1024;

/// Appends a frame: `write` appends its body.
pub fn put_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    write(out);
    // What is written comes out of one batch, whose commands are at most 16 MiB.
    let length = u32::try_from(out.len() - start - LENGTH_BYTES).expect("a frame below 4 GiB");
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

/// The length that the next frame claims for its body; `None` = not all of it is there.
#[must_use]
pub fn body_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.first_chunk::<LENGTH_BYTES>()?;
    Some(u32::from_be_bytes(*length) as usize)
}

/// The bodies of whole frames that stand one after the other.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    left: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Over these bytes, which have to end with a whole frame.
    #[must_use]
    pub fn new(frames: &'a [u8]) -> Self {
        Self { left: frames }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a [u8], DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let body = body_length(self.left).and_then(|length| {
            self.left
                .get(LENGTH_BYTES..LENGTH_BYTES.checked_add(length)?)
        });
        let Some(body) = body else {
            self.left = &[];
            return Some(Err(DecodeError::new("the last frame is cut off")));
        };
        self.left = &self.left[LENGTH_BYTES + body.len()..];
        Some(Ok(body))
    }
}
