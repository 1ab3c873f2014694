//! A row of fixed length that stands in place while it is short, where a list would be one far read
//! more.

use std::ops::{Deref, DerefMut};

#[derive(Clone, Debug)]
pub(crate) struct Few<T, const N: usize> {
    near: [T; N],
    /// Everything, if there is more than fits.
    far: Box<[T]>,
    len: u8,
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// So many times the same.
    pub(crate) fn filled(item: T, len: usize) -> Self {
        let is_short = len <= N;
        Self {
            near: [item; N],
            far: vec![item; if is_short { 0 } else { len }].into(),
            len: if is_short { len as u8 } else { 0 },
        }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        if self.far.is_empty() {
            &self.near[..self.len as usize]
        } else {
            &self.far
        }
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        if self.far.is_empty() {
            &mut self.near[..self.len as usize]
        } else {
            &mut self.far
        }
    }
}
