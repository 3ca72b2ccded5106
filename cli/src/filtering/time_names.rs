//! Names of columns that hold times.

/// Whether a column of this name holds times rather than data, more often than not.
pub(super) fn is_like_a_time(name: &str) -> bool {
    let name = name.to_lowercase();
    ["time", "date", "year", "month", "day", "hour", "timestamp"]
        .iter()
        .any(|word| {
            name.split(|c: char| !c.is_alphabetic())
                .any(|part| part == *word)
        })
        || name == "t"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_their_names() {
        for name in ["t", "Time", "YEAR", "time [s]", "date_utc", "timestamp"] {
            assert!(is_like_a_time(name), "{name}");
        }
        for name in ["x", "lifetime", "update", "temperature", "daylight"] {
            assert!(!is_like_a_time(name), "{name}");
        }
    }
}
