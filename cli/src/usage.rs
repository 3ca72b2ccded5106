//! Usage errors, and the text of an error with its causes.

/// A usage error, as opposed to a failure: exit code 2.
#[derive(Debug)]
pub struct UsageError(pub anyhow::Error);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", with_causes(&self.0))
    }
}

impl std::error::Error for UsageError {}

/// Whether `SCOTOPIC_SIMD`, where it is set, names an instruction set that this CPU has.
pub(crate) fn check_simd() -> Result<(), String> {
    #[cfg(any(feature = "filters", feature = "vision"))]
    if let Some(name) = std::env::var_os(scotopic_filtering::simd::SIMD_VARIABLE) {
        use scotopic_filtering::simd::InstructionSet;
        let asked = InstructionSet::named(&name.to_string_lossy())?;
        let found = InstructionSet::found();
        if asked > found {
            return Err(format!(
                "SCOTOPIC_SIMD is {:?}, and this CPU has {}",
                asked.name(),
                found.name()
            ));
        }
    }
    Ok(())
}

/// Whether other arguments would have helped: not where the system forbids to write or has no room.
pub(crate) fn is_usage_error(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        let kind = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        matches!(
            kind,
            Some(PermissionDenied | ReadOnlyFilesystem | StorageFull)
        )
    };
    error
        .downcast_ref::<UsageError>()
        .is_some_and(|usage| !usage.0.chain().any(refused))
}

/// The message and its causes, outermost first, each once; settings of the library by the options that set them.
pub fn with_causes(error: &anyhow::Error) -> String {
    let mut causes = error.chain().map(said);
    let mut text = causes.next().unwrap_or_default();
    for cause in causes {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// What an error says.
#[cfg(feature = "filters")]
fn said(error: &(dyn std::error::Error + 'static)) -> String {
    use scotopic_filtering::Error;
    match error.downcast_ref() {
        Some(Error::Setting {
            field,
            found,
            expected,
        }) => match OPTIONS.iter().find(|(name, _)| name == field) {
            Some((_, option)) => format!("{option} is {found}, expected {expected}"),
            None => error.to_string(),
        },
        Some(Error::Dependent { .. }) => error
            .to_string()
            .replace("(`pseudo_count`)", "(--pseudo-count)"),
        _ => error.to_string(),
    }
}

#[cfg(not(feature = "filters"))]
fn said(error: &(dyn std::error::Error + 'static)) -> String {
    error.to_string()
}

/// Settings that only an option sets.
#[cfg(feature = "filters")]
const OPTIONS: [(&str, &str); 5] = [
    ("level", "--level"),
    ("hold", "--hold"),
    ("particles", "--particles"),
    ("runs", "--runs"),
    ("delta", "--delta"),
];
