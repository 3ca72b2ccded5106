//! One file per command of the program.

#[cfg(feature = "vision")]
pub mod analyse;
#[cfg(feature = "vision")]
pub mod bench;
#[cfg(feature = "filters")]
pub mod compare;
#[cfg(feature = "filters")]
pub mod compare_args;
mod compare_certify;
#[cfg(feature = "filters")]
mod compare_models;
#[cfg(all(feature = "filters", feature = "vision"))]
pub mod compare_network_args;
#[cfg(all(feature = "filters", feature = "vision"))]
pub mod compare_networks;
#[cfg(feature = "filters")]
mod compare_notes;
mod compare_rows;
#[cfg(feature = "filters")]
pub mod compare_schemes;
#[cfg(feature = "filters")]
mod compare_scores;
pub mod completions;
#[cfg(feature = "vision")]
pub mod config;
#[cfg(feature = "vision")]
pub mod data;
#[cfg(any(feature = "filters", feature = "vision"))]
pub mod data_series;
#[cfg(feature = "filters")]
pub mod decode;
#[cfg(feature = "vision")]
pub mod devices;
#[cfg(feature = "vision")]
pub mod evaluate;
#[cfg(any(feature = "filters", feature = "vision"))]
pub mod experiment;
#[cfg(feature = "vision")]
pub mod export;
#[cfg(feature = "filters")]
pub mod filter;
#[cfg(feature = "filters")]
pub mod filter_args;
#[cfg(feature = "filters")]
pub mod filter_picture;
#[cfg(feature = "filters")]
mod filter_several;
#[cfg(feature = "filters")]
pub mod fit;
#[cfg(feature = "filters")]
pub mod forecast;
#[cfg(feature = "vision")]
pub mod import;
#[cfg(feature = "vision")]
pub mod infer;
#[cfg(feature = "filters")]
pub mod live;
#[cfg(feature = "filters")]
pub mod model_files;
pub mod residuals;
#[cfg(feature = "filters")]
pub mod sample;
#[cfg(feature = "filters")]
pub mod score;
#[cfg(feature = "vision")]
pub mod show;
#[cfg(feature = "filters")]
pub mod smooth;
#[cfg(feature = "filters")]
pub mod summary;
#[cfg(feature = "filters")]
mod summary_picture;
#[cfg(feature = "vision")]
pub mod train;

#[cfg(feature = "vision")]
mod card;
#[cfg(feature = "vision")]
mod card_metadata;
#[cfg(feature = "vision")]
mod dry_run;
#[cfg(feature = "vision")]
pub mod model;
mod print;
