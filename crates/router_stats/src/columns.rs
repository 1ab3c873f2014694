//! Rows, a column at a time, laid out as Arrow has them: values, and one bit a row for what is there.

const BITS: usize = 8;

/// A column's values; a row without one has a zero, or an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cells {
    /// 64 bits: ids, microseconds, durations.
    Wide(Vec<i64>),
    /// 32 bits.
    Middle(Vec<i32>),
    /// 16 bits.
    Small(Vec<i16>),
    /// One bit each, the first one the lowest of the first byte.
    Flags(Vec<u8>),
    /// UTF-8: where each begins, and the end of the last; then all of them.
    Texts(Vec<i32>, Vec<u8>),
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    cells: Cells,
    /// One bit a row, 1 = there is a value.
    valid: Vec<u8>,
    rows: usize,
    nulls: usize,
}

impl Column {
    /// Its values.
    #[must_use]
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Which rows have a value, one bit each; `None` = all.
    #[must_use]
    pub fn valid(&self) -> Option<&[u8]> {
        (self.nulls > 0).then_some(&self.valid)
    }

    fn new(cells: Cells) -> Self {
        Self {
            cells,
            valid: Vec::new(),
            rows: 0,
            nulls: 0,
        }
    }

    fn clear(&mut self) {
        match &mut self.cells {
            Cells::Wide(values) => values.clear(),
            Cells::Middle(values) => values.clear(),
            Cells::Small(values) => values.clear(),
            Cells::Flags(bits) => bits.clear(),
            Cells::Texts(starts, bytes) => {
                starts.truncate(1);
                bytes.clear();
            }
        }
        self.valid.clear();
        (self.rows, self.nulls) = (0, 0);
    }

    fn count(&mut self, there: bool) {
        set(&mut self.valid, self.rows, there);
        self.rows += 1;
        self.nulls += usize::from(!there);
    }
}

fn set(bits: &mut Vec<u8>, at: usize, on: bool) {
    if at.is_multiple_of(BITS) {
        bits.push(0);
    }
    bits[at / BITS] |= u8::from(on) << (at % BITS);
}

/// The rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns in the table's order; none before the first row.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Appends a row: `write` gives its cells in the table's order, in every row of the same kinds.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Cellwise<'_>)) {
        let mut row = Cellwise {
            columns: &mut self.columns,
            at: 0,
        };
        write(&mut row);
        self.rows += 1;
    }

    /// Forgets the rows, not the room that they took.
    pub(crate) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
    }
}

/// A row that is being written, cell by cell.
pub(crate) struct Cellwise<'a> {
    columns: &'a mut Vec<Column>,
    at: usize,
}

impl Cellwise<'_> {
    fn next(&mut self, empty: impl FnOnce() -> Cells) -> &mut Column {
        if self.at == self.columns.len() {
            self.columns.push(Column::new(empty()));
        }
        self.at += 1;
        &mut self.columns[self.at - 1]
    }

    pub(crate) fn wide(&mut self, value: impl Into<u64>) -> &mut Self {
        self.maybe(Some(value.into()))
    }

    /// Nothing that is counted here reaches 2^63: ids are below 2^53, times are microseconds.
    pub(crate) fn maybe(&mut self, value: Option<u64>) -> &mut Self {
        let column = self.next(|| Cells::Wide(Vec::new()));
        if let Cells::Wide(values) = &mut column.cells {
            values.push(value.unwrap_or(0) as i64);
        }
        column.count(value.is_some());
        self
    }

    /// Counts, and weights: far below 2^31.
    pub(crate) fn middle(&mut self, value: u32) -> &mut Self {
        let column = self.next(|| Cells::Middle(Vec::new()));
        if let Cells::Middle(values) = &mut column.cells {
            values.push(value as i32);
        }
        column.count(true);
        self
    }

    pub(crate) fn small(&mut self, value: u8) -> &mut Self {
        let column = self.next(|| Cells::Small(Vec::new()));
        if let Cells::Small(values) = &mut column.cells {
            values.push(value.into());
        }
        column.count(true);
        self
    }

    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        let column = self.next(|| Cells::Flags(Vec::new()));
        let row = column.rows;
        if let Cells::Flags(bits) = &mut column.cells {
            set(bits, row, value);
        }
        column.count(true);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.maybe_text(Some(value))
    }

    pub(crate) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        let column = self.next(|| Cells::Texts(vec![0], Vec::new()));
        if let Cells::Texts(starts, bytes) = &mut column.cells {
            bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
            starts.push(bytes.len() as i32);
        }
        column.count(value.is_some());
        self
    }

    pub(crate) fn hex(&mut self, value: &[u8]) -> &mut Self {
        let digit = |half: u8| char::from_digit(half.into(), 16).expect("four bits");
        let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let text: String = digits.map(digit).collect();
        self.text(&text)
    }
}
