//! A growing row that never moves what it holds: a single array would copy itself at every
//! doubling, and a decision would wait for it.

use std::collections::VecDeque;

/// Items per chunk.
const CHUNK: usize = 4_096;

#[derive(Clone, Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Chunked<T> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(item),
            _ => {
                // The first chunk grows like any array, so that a small table stays small.
                let room = if self.chunks.is_empty() { 0 } else { CHUNK };
                let mut chunk = Vec::with_capacity(room);
                chunk.push(item);
                self.chunks.push(chunk);
            }
        }
        self.len += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

impl<T> std::ops::Index<usize> for Chunked<T> {
    type Output = T;
    fn index(&self, index: usize) -> &T {
        &self.chunks[index / CHUNK][index % CHUNK]
    }
}

impl<T> std::ops::IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.chunks[index / CHUNK][index % CHUNK]
    }
}

/// First in, first out, in chunks for the same reason; a chunk that is used up is used again.
#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    /// All but the last are full.
    chunks: VecDeque<Vec<T>>,
    /// Items of the first chunk that are gone.
    gone: usize,
    len: usize,
    spare: Vec<T>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            gone: 0,
            len: 0,
            spare: Vec::new(),
        }
    }
}

impl<T: Copy> Line<T> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.chunks.back_mut() {
            Some(last) if last.len() < CHUNK => last.push(item),
            _ => {
                let mut chunk = std::mem::take(&mut self.spare);
                if !self.chunks.is_empty() {
                    chunk.reserve_exact(CHUNK);
                }
                chunk.push(item);
                self.chunks.push_back(chunk);
            }
        }
        self.len += 1;
    }

    /// The item that so many others stand before.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let index = self.gone + index;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let index = self.gone + index;
        self.chunks.get_mut(index / CHUNK)?.get_mut(index % CHUNK)
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.chunks.front().and_then(|chunk| chunk.get(self.gone))
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = *self.first()?;
        self.gone += 1;
        self.len -= 1;
        if self.len == 0 || self.gone == CHUNK {
            self.gone = 0;
            if let Some(mut chunk) = self.chunks.pop_front() {
                chunk.clear();
                self.spare = chunk;
            }
        }
        Some(item)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten().skip(self.gone)
    }
}
