//! Paths as words of a command line.

use std::path::Path;

/// The path as it is typed in a shell: in single quotes where it needs them.
///
/// ```
/// use scotopic_datasets::shell_word;
/// assert_eq!(shell_word("runs/mnist-2".as_ref()), "runs/mnist-2");
/// assert_eq!(shell_word("my run's".as_ref()), r"'my run'\''s'");
/// assert_eq!(shell_word("-x".as_ref()), "./-x");
/// ```
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    let text = match text.starts_with('-') {
        true => format!("./{text}"),
        false => text,
    };
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
