//! The kernels that training launches on a GPU, counted by CubeCL's own log.

use std::fs::{read_to_string, write};

use super::support::{available, folder, trained};

/// Has CubeCL write down every kernel that runs.
const LOG: &str = "[profiling]\nlogger = { level = \"minimal\", file = \"launches.log\" }\n";

const ITERATIONS: usize = 3;

/// However many steps inference has, an iteration is one kernel forward and one backward.
#[test]
fn an_iteration_is_one_kernel_in_each_direction() {
    if !available("wgpu") {
        return;
    }
    let launched = |steps: &str| {
        let folder = folder();
        write(folder.path().join("cubecl.toml"), LOG).expect("written");
        let (steps, iterations) = (
            format!("inference.steps={steps}"),
            format!("train.iterations={ITERATIONS}"),
        );
        let sets = [
            "--device",
            "wgpu",
            "--set",
            &steps,
            "--set",
            &iterations,
            "--set",
            "validation.every=1000",
        ];
        trained(folder.path(), "run", &sets);
        let log = read_to_string(folder.path().join("launches.log")).expect("a log");
        ["SpikingForwardKernel", "SpikingBackwardKernel"]
            .map(|kernel| log.lines().filter(|line| line.contains(kernel)).count())
    };
    assert_eq!(launched("4"), [ITERATIONS; 2]);
    assert_eq!(launched("9"), [ITERATIONS; 2]);
}
