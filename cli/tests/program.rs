//! The tests of the program `scotopic`: its command line, its files, and what survives a kill.
#![recursion_limit = "256"]

mod program {
    mod adamax;
    mod analyse;
    mod analyse_command;
    mod autoregressions;
    mod bench;
    mod case_files;
    mod cases;
    mod certify;
    mod command_line;
    mod compare_networks;
    mod config_command;
    mod damage;
    mod data_command;
    mod disk_full;
    mod divergence;
    mod experiments;
    mod families;
    mod films;
    mod filter_figures;
    mod filtering;
    mod fit_search;
    mod fitted_models;
    mod help;
    mod import;
    mod infer;
    mod inputs;
    mod kills;
    mod launches;
    mod live;
    mod metrics;
    mod model_card;
    #[path = "../series/npz.rs"]
    #[allow(dead_code)] // the tests of series use all of it
    mod npz;
    mod old_files;
    mod old_flags;
    mod old_snapshots;
    mod pictures;
    mod plds;
    mod pt;
    mod released;
    mod resume;
    mod run_files;
    mod run_folder;
    mod shares;
    mod spike_trains;
    mod structural;
    mod support;
    mod tensorboard;
    mod told;
}
