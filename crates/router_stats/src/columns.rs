//! Rows, a column at a time, laid out as Arrow has them: values, and one bit a row for what is there.

const BITS: usize = 8;
const TEXT: u8 = 0;
const START_BYTES: usize = 4;

/// One column: values of so many bits each, or texts.
#[derive(Clone, Debug)]
pub struct Column {
    bits: u8,
    values: Vec<u8>,
    starts: Option<Vec<u8>>,
    /// One bit a row, 1 = there is a value.
    valid: Vec<u8>,
    rows: usize,
    nulls: usize,
}

impl Column {
    /// How many bits a value has: 64, 32, 16, 1 = yes or no, 0 = UTF-8.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The values, least byte first; of single bits the first one is the lowest of the first byte. A row
    /// without one has zeros here, or an empty text.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Where each text begins and the last one ends, 32 bits each; `None` = these are no texts.
    #[must_use]
    pub fn starts(&self) -> Option<&[u8]> {
        self.starts.as_deref()
    }

    /// Which rows have a value, one bit each; `None` = all.
    #[must_use]
    pub fn valid(&self) -> Option<&[u8]> {
        (self.nulls > 0).then_some(&self.valid)
    }

    fn new(bits: u8) -> Self {
        Self {
            bits,
            values: Vec::new(),
            starts: (bits == TEXT).then(|| vec![0; START_BYTES]),
            valid: Vec::new(),
            rows: 0,
            nulls: 0,
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.valid.clear();
        if let Some(starts) = &mut self.starts {
            starts.truncate(START_BYTES);
        }
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
    fn next(&mut self, bits: u8) -> &mut Column {
        if self.at == self.columns.len() {
            self.columns.push(Column::new(bits));
        }
        self.at += 1;
        let column = &mut self.columns[self.at - 1];
        debug_assert_eq!(column.bits, bits, "every row has the same kinds");
        column
    }

    fn number<const N: usize>(&mut self, bytes: [u8; N], there: bool) -> &mut Self {
        let column = self.next((N * BITS) as u8);
        column.values.extend_from_slice(&bytes);
        column.count(there);
        self
    }

    pub(crate) fn wide(&mut self, value: impl Into<u64>) -> &mut Self {
        self.number(value.into().to_le_bytes(), true)
    }

    /// Nothing that is counted here reaches 2^63: ids are below 2^53, times are microseconds.
    pub(crate) fn maybe(&mut self, value: Option<u64>) -> &mut Self {
        self.number(value.unwrap_or(0).to_le_bytes(), value.is_some())
    }

    /// Counts, and weights: far below 2^31.
    pub(crate) fn middle(&mut self, value: u32) -> &mut Self {
        self.number(value.to_le_bytes(), true)
    }

    pub(crate) fn small(&mut self, value: u8) -> &mut Self {
        self.number(u16::from(value).to_le_bytes(), true)
    }

    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        let column = self.next(1);
        set(&mut column.values, column.rows, value);
        column.count(true);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.maybe_text(Some(value))
    }

    pub(crate) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        let column = self.next(TEXT);
        let text = value.unwrap_or_default();
        column.values.extend_from_slice(text.as_bytes());
        let end = column.values.len() as u32;
        let starts = column.starts.get_or_insert_default();
        starts.extend_from_slice(&end.to_le_bytes());
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
