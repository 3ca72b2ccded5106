//! A request that makes no sense, and how errors are told.

/// A request that makes no sense, as opposed to one that failed: exit code 2.
#[derive(Debug)]
pub struct UsageError(pub anyhow::Error);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", in_one_piece(&self.0))
    }
}

impl std::error::Error for UsageError {}

/// The message and its causes, outermost first; a cause that was already told is not told again.
pub(crate) fn in_one_piece(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
