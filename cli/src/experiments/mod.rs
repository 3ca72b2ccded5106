//! The experiments of the papers, all of them protocols: arms × seeds, values per unit, a page made of them.
//!
//! | subject | module |
//! |---|---|
//! | an experiment as a protocol, its files, statistics and page | [`protocol`] |
//! | the first paper's experiments: networks | `networks` |
//! | the second paper's experiments: state-space models | [`series`] |

#[cfg(feature = "vision")]
pub mod networks;
pub mod protocol;
pub mod series;

/// All experiments, in the order in which they are listed.
pub fn all() -> Vec<&'static protocol::Protocol> {
    #[cfg(feature = "vision")]
    let networks = networks::PROTOCOLS;
    #[cfg(not(feature = "vision"))]
    let networks: &[protocol::Protocol] = &[];
    networks.iter().chain(series::PROTOCOLS).collect()
}
