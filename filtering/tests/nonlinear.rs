mod reference;
use reference::{Recording, recordings};
use scotopic_filtering::nonlinear::models::*;
use scotopic_filtering::nonlinear::*;

fn run<M: StateSpace>(model: M, r: &Recording, settings: Settings) -> Vec<f64> {
    let mut f = Filter::new(model, settings).unwrap();
    let start = std::time::Instant::now();
    let mut ev = 0;
    let out: Vec<f64> = r.numbers("obs").iter().map(|y| { let e = f.update(Some(&[*y])).unwrap().elbo; ev += f.evaluations(); e }).collect();
    println!("   µs/update {:.2} evaluations {} unsettled {}", start.elapsed().as_micros() as f64 / out.len() as f64, ev as f64 / out.len() as f64, f.unsettled());
    out
}
fn of(r: &Recording, s: Settings) -> Vec<f64> {
    let p = |k: &str| r.number(&format!("params.{k}"));
    match r.text("model") {
        "ar1_poisson" => run(Ar1Poisson::new(p("a"), p("c"), p("q"), p("m0"), p("v0")).unwrap(), r, s),
        "sin_quad_gauss" => run(SinQuadratic::new(p("q"), p("r"), p("m0"), p("v0")).unwrap(), r, s),
        o => panic!("{o}"),
    }
}
#[test]
fn look() {
    for r in recordings("nonlin_") {
        let exact = r.numbers("exact_grid.log_evidence_cumulative");
        let stored = r.numbers("online_reversed_gaussian.elbo");
        println!("{} exact {} stored {}", r.name, exact.last().unwrap(), stored.last().unwrap());
        for (name, s) in [
            ("table", Settings { representation: Representation::table(), ..Default::default() }),
            ("table fine", Settings { representation: Representation::Table{nodes:1025,reach:10.0}, rule: Some(Rule::GaussHermite(40)), ..Default::default() }),
            ("quadratic", Settings::default()),
            ("conj", Settings { improvements: 0, representation: Representation::table(), ..Default::default() }),
            ("jelbo table", Settings { scheme: Scheme::Jelbo, representation: Representation::table(), ..Default::default() }),
            ("vjf", Settings { scheme: Scheme::Vjf, ..Default::default() }),
        ] {
            println!(" {name}");
            let e = of(&r, s);
            println!("   end {}", e.last().unwrap());
            if name.starts_with("table") {
                let worst = e.iter().zip(&stored).map(|(a,b)| a-b).fold((f64::MAX,f64::MIN), |(lo,hi),d| (lo.min(d),hi.max(d)));
                let over = e.iter().zip(&exact).map(|(a,b)| a-b).fold(f64::MIN, f64::max);
                println!("   vs stored {worst:?} vs exact max {over}");
            }
        }
    }
}
