//! The files of the page, part of the program.

/// The type and the text of a file of the page.
pub fn find(path: &str) -> Option<(&'static str, &'static str)> {
    const SCRIPT: &str = "text/javascript";
    Some(match path {
        "/" | "/index.html" => ("text/html", include_str!("page/index.html")),
        "/style.css" => ("text/css", include_str!("page/style.css")),
        "/main.js" => (SCRIPT, include_str!("page/main.js")),
        "/link.js" => (SCRIPT, include_str!("page/link.js")),
        "/frames.js" => (SCRIPT, include_str!("page/frames.js")),
        "/network.js" => (SCRIPT, include_str!("page/network.js")),
        "/stimulus.js" => (SCRIPT, include_str!("page/stimulus.js")),
        "/film.js" => (SCRIPT, include_str!("page/film.js")),
        "/tuning.js" => (SCRIPT, include_str!("page/tuning.js")),
        "/dictionary.js" => (SCRIPT, include_str!("page/dictionary.js")),
        "/plots.js" => (SCRIPT, include_str!("page/plots.js")),
        "/filter.js" => (SCRIPT, include_str!("page/filter.js")),
        "/beliefs.js" => (SCRIPT, include_str!("page/beliefs.js")),
        "/icon.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for path in [
            "/",
            "/style.css",
            "/main.js",
            "/network.js",
            "/filter.js",
            "/link.js",
        ] {
            let (_, text) = find(path).unwrap();
            let outside = text.match_indices("//").filter(|(at, _)| {
                text[..*at].ends_with("http:") || text[..*at].ends_with("https:")
            });
            let outside: Vec<&str> = outside
                .map(|(at, _)| &text[at..(at + 30).min(text.len())])
                .collect();
            assert!(outside.is_empty(), "{path}: {outside:?}");
        }
        assert_eq!(find("/../Cargo.toml"), None);
    }

    #[test]
    fn the_colours_are_those_of_the_figures() {
        let (_, style) = find("/style.css").unwrap();
        for (index, colour) in scotopic_figures::colour::PALETTE.iter().enumerate() {
            let [r, g, b] = colour.0;
            let line = format!("--series-{}: #{r:02x}{g:02x}{b:02x};", index + 1);
            assert!(style.contains(&line), "style.css lacks {line}");
        }
    }
}
