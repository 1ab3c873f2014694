//! The reference tables of this repository.

use std::collections::BTreeMap;
use std::path::Path;

/// One line of a table, by the names in its header.
pub type Line = BTreeMap<String, String>;

/// The lines of a file in tests/reference. A name's text from `(` on stays: it tells columns apart.
pub fn read(name: &str) -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference");
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines().map(cells);
    let header = lines.next().unwrap_or_default();
    let line = |cells: Vec<String>| {
        assert_eq!(cells.len(), header.len(), "{name}: {cells:?}");
        header.iter().cloned().zip(cells).collect()
    };
    lines.map(line).collect()
}

/// A cell that is a number; an empty one is none.
pub fn number(line: &Line, name: &str) -> Option<f64> {
    let cell = &line[name];
    let parse = || {
        cell.parse()
            .unwrap_or_else(|e| panic!("{name} = {cell}: {e}"))
    };
    (!cell.is_empty()).then(parse)
}

/// Cells between commas; a comma inside quotation marks is part of its cell.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("never empty").push(letter),
        }
    }
    cells
}
