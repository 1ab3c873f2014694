//! MessagePack, written: every integer, byte string and array in its shortest format.

/// An unsigned integer.
#[inline]
pub(crate) fn put_uint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend([0xcc, value as u8]),
        0x100..=0xffff => put(out, 0xcd, (value as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => put(out, 0xce, (value as u32).to_be_bytes()),
        _ => put(out, 0xcf, value.to_be_bytes()),
    }
}

/// A boolean.
pub(crate) fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.push(0xc2 + u8::from(value));
}

/// Nothing.
pub(crate) fn put_nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

/// A byte string; one of more than `u32::MAX` bytes cannot come out of a frame that was read.
pub(crate) fn put_bin(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        length @ 0..=0xff => out.extend([0xc4, length as u8]),
        length @ 0x100..=0xffff => put(out, 0xc5, (length as u16).to_be_bytes()),
        length => put(out, 0xc6, (length as u32).to_be_bytes()),
    }
    out.extend_from_slice(bytes);
}

/// The beginning of an array; its items follow.
#[inline]
pub(crate) fn put_array(out: &mut Vec<u8>, items: usize) {
    match items {
        0..=0x0f => out.push(0x90 + items as u8),
        0x10..=0xffff => put(out, 0xdc, (items as u16).to_be_bytes()),
        _ => put(out, 0xdd, (items as u32).to_be_bytes()),
    }
}

#[inline]
fn put<const N: usize>(out: &mut Vec<u8>, marker: u8, bytes: [u8; N]) {
    out.push(marker);
    out.extend_from_slice(&bytes);
}
