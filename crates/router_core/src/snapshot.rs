//! The router's state as bytes.

/// Why bytes are not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// They do not begin like one.
    NotASnapshot,
    /// They were written by another format version.
    UnknownVersion(u32),
    /// They end too early, go on too long, or contradict themselves; what was being read.
    Corrupt(&'static str),
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("not a router snapshot"),
            Self::UnknownVersion(version) => write!(f, "snapshot format {version} is not known"),
            Self::Corrupt(what) => write!(f, "snapshot is corrupt: {what}"),
        }
    }
}

impl std::error::Error for RestoreError {}
