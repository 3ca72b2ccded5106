//! Every kind of model that files hold, with a file that documents its keys.

/// A kind of model.
pub struct Kind {
    /// Its name on the command line: the `kind` of its file, or of what is particular to it.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Columns of the data that it describes.
    pub columns: &'static str,
    /// What can be done with it.
    pub commands: &'static str,
    /// A file that is valid as it stands, every key with a comment.
    pub template: &'static str,
}

macro_rules! kinds {
    ($($name:literal, $about:literal, $columns:literal, $commands:literal;)+) => {
        &[$(Kind {
            name: $name,
            about: $about,
            columns: $columns,
            commands: $commands,
            template: include_str!(concat!("../../templates/", $name, ".toml")),
        }),+]
    };
}

/// All kinds: a new one is a line here and a file in `cli/templates`.
pub const KINDS: &[Kind] = kinds! {
    "categorical", "hidden Markov model of symbols", "one of symbols 0, 1, …",
        "fit, filter, compare, learning online";
    "poisson", "hidden Markov model of counts", "any number of counts",
        "fit, filter, compare, learning online";
    "diagonal-gaussian", "hidden Markov model of independent numbers", "any number",
        "fit, filter, compare, learning online";
    "full-gaussian", "hidden Markov model of vectors with covariances", "any number",
        "fit, filter, compare, learning online";
    "bernoulli", "hidden Markov model of columns of 0 or 1", "any number of 0 or 1",
        "fit, filter, compare, learning online";
    "negative-binomial", "hidden Markov model of counts whose rate varies", "any number of counts",
        "fit, filter, compare, learning online";
    "student-t", "hidden Markov model of numbers with heavy tails", "any number",
        "fit, filter, compare, learning online";
    "logistic-regression", "hidden Markov model of choices given inputs (GLM-HMM)", "one of 0 or 1, and the inputs",
        "fit, filter, compare, learning online";
    "poisson-regression", "hidden Markov model of counts given inputs", "one of counts, and the inputs",
        "fit, filter, compare, learning online";
    "linear-regression", "hidden Markov model of numbers given inputs", "one, and the inputs",
        "fit, filter, compare, learning online";
    "autoregression", "hidden Markov model of numbers that depend on those before (AR-HMM)", "any number",
        "fit, filter, compare, learning online";
    "transition-inputs", "hidden Markov model whose transitions depend on inputs (input-output HMM, GLM-HMM)",
        "those of the emission, and the inputs",
        "fit, filter, compare";
    "linear-gaussian", "hidden vector with linear dynamics, seen linearly (Kalman filter)", "any number, and inputs",
        "fit, filter, compare, learning online";
    "plds", "hidden vector with linear dynamics, seen through counts or spikes (Poisson, Bernoulli LDS)",
        "any number of counts, or of 0 and 1",
        "fit, filter, compare (several models), learning online";
    "slds", "hidden vector whose linear dynamics a Markov chain of regimes chooses (switching linear dynamical system)",
        "any number",
        "fit, filter, decode, compare (several models)";
    "structural", "level, slope, seasons, cycle, ARMA, regression added up; read as linear-gaussian", "one, and the inputs of a regression",
        "fit; with values of all parameters also filter and compare";
    "generalised", "continuous time with smooth noise, equations by name", "by the equations",
        "fit, filter, compare, learning online";
    "neural", "continuous time whose equations are a network", "by the output",
        "fit, filter";
    "ar1-poisson", "counts driven by an autoregression", "one of counts",
        "fit, filter, compare, learning online";
    "sin-quadratic", "a bistable state seen through a square", "one",
        "fit, filter, compare, learning online";
    "stochastic-volatility", "returns with a hidden volatility", "one",
        "fit, filter, compare, learning online";
    "diagonal-linear", "independent linear coordinates", "as many as coordinates",
        "fit, filter, compare, learning online";
};

/// The kind of a name; `hmm` is the one of counts.
pub fn find(name: &str) -> Option<&'static Kind> {
    let name = if name == "hmm" { "poisson" } else { name };
    KINDS.iter().find(|kind| kind.name == name)
}

/// The page docs/models.md.
pub fn page() -> String {
    let mut page = String::from(
        "# Models in files\n\n\
         A model is a file in TOML with its `kind` first. `scotopic fit` writes such files, `filter` and `compare` read them.\n\
         `scotopic model list` names the kinds, `scotopic model template KIND` prints the file below, `scotopic model check FILE`\n\
         says what a file holds or what is wrong with it. This page is printed by `scotopic model list --markdown`.\n\n\
         | template | what it is | columns of data | commands |\n|---|---|---|---|\n",
    );
    for kind in KINDS {
        page.push_str(&format!(
            "| [`{0}`](#{0}) | {1} | {2} | {3} |\n",
            kind.name, kind.about, kind.columns, kind.commands
        ));
    }
    for kind in KINDS {
        page.push_str(&format!(
            "\n## {}\n\n```toml\n{}```\n",
            kind.name, kind.template
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use scotopic_filtering::AnyModel;
    use scotopic_filtering::hmm::EmissionKind;

    #[test]
    fn every_template_is_a_model_as_it_stands() {
        for kind in KINDS {
            let model = crate::filtering::model::parse(kind.template);
            assert!(model.is_ok(), "{}: {:#}", kind.name, model.unwrap_err());
        }
    }

    #[test]
    fn every_kind_has_a_template() {
        let emissions = EmissionKind::ALL.iter().map(|kind| kind.name());
        let models = AnyModel::KINDS.split(", ");
        for name in models.chain(emissions) {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_page_of_the_documents_is_this_one() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/models.md");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|v| v == "1") {
            std::fs::write(&path, page()).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap();
        assert!(
            stored == page(),
            "UPDATE_SNAPSHOTS=1 writes docs/models.md anew"
        );
    }
}
