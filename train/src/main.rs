//! x
mod adamax;
use burn::tensor::*;
use scotopic::{inference::Record, noise::NoiseKey, posterior::Sampling};
use scotopic_models::*;
use std::time::Instant;
fn main(){
    let device = Device::flex().autodiff();
    let mut model = IterativeVaeConfig { pixels: 256, latents: 512, ..Default::default() }.init(&device, 0).unwrap();
    let x = Tensor::<2>::random([200,256], Distribution::Normal(0.,1.), &device);
    let mut opt = adamax::Adamax::new(Default::default());
    let lr: f64 = std::env::args().nth(1).map(|s| s.parse().unwrap()).unwrap_or(5e-3);
    for it in 0..40 {
        let t0 = Instant::now();
        let rule = RuleConfig::default().at(1.0, Sampling::relaxed(0.5));
        let tr = model.infer(x.clone(), 16, rule, &NoiseKey::new(0).step(it), Record::GENERATED);
        let t1 = Instant::now();
        let l = tr.objective(24.0*(it as f64/40.)).unwrap();
        let g = l.backward();
        let t2 = Instant::now();
        let (m, n) = opt.step(model, &g, lr, 300.0);
        model = m;
        let t3 = Instant::now();
        if it % 4 == 0 { println!("{it} loss {:.3} norm {:.3} rate {:.4} fwd {:?} bwd {:?} opt {:?}", l.into_scalar::<f32>(), n.into_scalar::<f32>(), tr.state.potential().exp().mean().into_scalar::<f32>(), t1-t0, t2-t1, t3-t2); }
    }
    // micro
    let d = Device::flex();
    for lr in [-5.0f64, -1.0, 1.0] {
        let u = Tensor::<2>::full([200,512], lr, &d);
        for tau in [0.5f32, 0.05, 0.0] {
        let t0=Instant::now(); for i in 0..50 { let _z = scotopic::ops::relaxed_poisson(u.clone(), tau, NoiseKey::new(i)); } println!("sampler u={lr} tau={tau}: {:?}", t0.elapsed()/50); }
    }
    let u = Tensor::<2>::full([200,512], -1.0, &d);
    let t0=Instant::now(); for _ in 0..50 { let _z = scotopic::ops::clamped_step(u.clone(), u.clone(), 10., 10.); } println!("clamped {:?}", t0.elapsed()/50);
    let t0=Instant::now(); for _ in 0..50 { let _z = u.clone().exp(); } println!("exp {:?}", t0.elapsed()/50);
    let w = Tensor::<2>::full([512,256], -1.0, &d);
    let t0=Instant::now(); for _ in 0..50 { let _z = u.clone().matmul(w.clone()); } println!("matmul {:?}", t0.elapsed()/50);
    let e = Tensor::<2>::full([200,256], -1.0, &d);
    let t0=Instant::now(); for _ in 0..50 { let _z = e.clone().matmul(w.clone().transpose()); } println!("matmulT {:?}", t0.elapsed()/50);
    let t0=Instant::now(); for _ in 0..50 { let _z = u.clone().transpose().matmul(e.clone()); } println!("Tmatmul {:?}", t0.elapsed()/50);
}
