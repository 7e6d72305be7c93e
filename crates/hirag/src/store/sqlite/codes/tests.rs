use super::*;
use proptest::prelude::*;

/// Components that are not all 0.
fn any_vector(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, dimension)
        .prop_filter("no direction", |x| x.iter().any(|x| x.abs() > 0.01))
        .prop_map(|x| unit(&x))
}

fn unit(components: &[f32]) -> Vec<f32> {
    let length = components.iter().map(|x| x * x).sum::<f32>().sqrt();
    components.iter().map(|x| x / length).collect()
}

fn any_case() -> impl Strategy<Value = (Vec<f32>, Vec<Option<Vec<f32>>>)> {
    prop_oneof![1_usize..40, Just(384), Just(2_300)].prop_flat_map(|dimension| {
        let rows = prop::collection::vec(prop::option::weighted(0.8, any_vector(dimension)), 0..70);
        (any_vector(dimension), rows)
    })
}

fn codes(dimension: usize, vectors: &[Option<Vec<f32>>]) -> Codes {
    let mut codes = Codes::new(dimension);
    for (row, vector) in vectors.iter().enumerate() {
        codes.push();
        codes.set(row, vector.as_deref());
    }
    codes
}

fn estimates(codes: &Codes, query: &[f32]) -> Vec<f32> {
    let mut found = vec![9.0; codes.len()];
    codes.estimates(&Tables::new(query), &mut found);
    found
}

fn sums(
    scan: impl FnOnce(&mut dyn Iterator<Item = ()>, &mut dyn FnMut(&[u32; BLOCK], ())),
    blocks: usize,
) -> Vec<[u32; BLOCK]> {
    let mut sums = Vec::new();
    scan(&mut std::iter::repeat_n((), blocks), &mut |block, ()| {
        sums.push(*block);
    });
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn an_estimate_is_what_the_plain_sum_over_the_signs_gives((query, vectors) in any_case()) {
        let found = estimates(&codes(query.len(), &vectors), &query);
        prop_assert_eq!(found.len(), vectors.len());
        for (found, vector) in found.iter().zip(&vectors) {
            let Some(vector) = vector else {
                prop_assert!(found.is_nan());
                continue;
            };
            let signed = query.iter().zip(vector).map(|(q, x)| if *x > 0.0 { *q } else { -*q });
            let lengths: f32 = vector.iter().map(|x| x.abs()).sum();
            let wanted = (signed.sum::<f32>() / lengths).clamp(-1.0, 1.0);
            // Each table rounds by half a step, of which there are 127 in the largest.
            let halves = query.chunks(4).map(|half| half.iter().map(|x| x.abs()).sum::<f32>());
            let step = 2.0 * halves.fold(0.0, f32::max) / 127.0;
            let bound = step / 2.0 * query.len().div_ceil(4) as f32 / lengths + 1e-4;
            prop_assert!((found - wanted).abs() <= bound, "{found} for {wanted}");
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn wide_and_plain_scans_add_the_same((query, vectors) in any_case()) {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return Ok(());
        }
        let (codes, query) = (codes(query.len(), &vectors), Tables::new(&query));
        let blocks = vectors.len().div_ceil(BLOCK);
        let plain = sums(|places, done| scan::plain(&query, &codes.blocks, places, done), blocks);
        #[allow(unsafe_code, reason = "the test is of the function itself")]
        let wide = sums(
            // SAFETY: the processor has AVX2.
            |places, done| unsafe { scan::wide(&query, &codes.blocks, places, done) },
            blocks,
        );
        prop_assert_eq!(plain.len(), blocks);
        prop_assert_eq!(plain, wide);
    }

    #[test]
    fn a_row_holds_what_was_put_in_last(
        first in prop::collection::vec(prop::option::of(any_vector(24)), 1..70),
        changes in prop::collection::vec((0_usize..70, prop::option::of(any_vector(24))), 0..40),
        query in any_vector(24),
    ) {
        let mut changed = codes(24, &first);
        let mut model = first;
        for (row, vector) in changes {
            let row = row % model.len();
            changed.set(row, vector.as_deref());
            model[row] = vector;
        }
        let bits = |estimates: Vec<f32>| estimates.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let wanted = estimates(&codes(24, &model), &query);
        prop_assert_eq!(bits(estimates(&changed, &query)), bits(wanted));
    }
}

/// Vectors without a preferred direction, the same on every run.
fn spread(count: usize, dimension: usize) -> Vec<Option<Vec<f32>>> {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut rng = StdRng::seed_from_u64(7);
    let component = |rng: &mut StdRng| (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f32>();
    let vector = |rng: &mut StdRng| (0..dimension).map(|_| component(rng)).collect::<Vec<_>>();
    (0..count).map(|_| Some(unit(&vector(&mut rng)))).collect()
}

#[test]
fn estimates_are_right_on_average_and_off_by_little() {
    let vectors = spread(2_000, 384);
    let query = vectors[0].clone().unwrap();
    let found = estimates(&codes(384, &vectors), &query);
    assert!(
        (found[0] - 1.0).abs() < 0.01,
        "it is found by itself: {}",
        found[0]
    );
    let cosine = |x: &Vec<f32>| x.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
    let errors: Vec<f32> = found[1..]
        .iter()
        .zip(&vectors[1..])
        .map(|(found, x)| found - cosine(x.as_ref().unwrap()))
        .collect();
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    let spread = (errors.iter().map(|e| e * e).sum::<f32>() / errors.len() as f32).sqrt();
    assert!(mean.abs() < 0.003, "{mean}");
    assert!((0.03..0.05).contains(&spread), "{spread}");
}

#[test]
fn many_rows_are_shared_between_threads_and_come_out_in_order() {
    let some = spread(40, 16);
    let all: Vec<_> = (0..SHARED_FROM + 77)
        .map(|row| some[row % some.len()].clone())
        .collect();
    let query = some[3].clone().unwrap();
    let found = estimates(&codes(16, &all), &query);
    let few = estimates(&codes(16, &some), &query);
    for (row, found) in found.iter().enumerate() {
        assert_eq!(*found, few[row % few.len()]);
    }
}
