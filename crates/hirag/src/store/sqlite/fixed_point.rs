//! Unit vectors in 16-bit fixed point: what a search reads of every context is half as large as
//! floats would be, and reading it is what a search spends its time on.
//!
//! A component is off by half a step of 1/32767 at most. A cosine of `n` components is therefore
//! off by `√n/32767` at most (0.0006 for 384), and by about 0.00001 as a rule.

use multiversion::multiversion;

/// The code of 1.
const ONE: f32 = 32_767.0;

/// The code of a component between -1 and 1.
pub(super) fn encode(component: f32) -> i16 {
    // The cast saturates, and a component that is no number becomes 0.
    (component * ONE).round() as i16
}

/// The codes of a unit vector.
pub(super) fn encoded(unit: &[f32]) -> Vec<i16> {
    unit.iter().copied().map(encode).collect()
}

/// Cosines of an encoded unit vector to those that stand in `rows` one after the other, -1 to 1,
/// into `cosines`, which has a place for each. The same on every machine: integers are added.
///
/// However many of the products are added, a sum stays below the product of the two lengths (Cauchy
/// and Schwarz), which is ONE² and a little for the rounding: an `i32` holds nearly twice as much.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn cosines(unit: &[i16], rows: &[i16], cosines: &mut [f32]) {
    for (row, cosine) in rows.chunks_exact(unit.len().max(1)).zip(cosines) {
        let sum: i32 = unit
            .iter()
            .zip(row)
            .map(|(a, b)| i32::from(*a) * i32::from(*b))
            .sum();
        *cosine = (sum as f32 / (ONE * ONE)).clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(components: &[f32]) -> Vec<f32> {
        let length = components.iter().map(|x| x * x).sum::<f32>().sqrt();
        components.iter().map(|x| x / length).collect()
    }

    fn exact(a: &[f32], b: &[f32]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    }

    fn cosine(a: &[i16], b: &[i16]) -> f32 {
        let mut found = [f32::NAN];
        cosines(a, b, &mut found);
        found[0]
    }

    #[test]
    fn each_row_has_its_own_cosine() {
        let [x, y] = [encoded(&[1.0, 0.0]), encoded(&[0.0, 1.0])];
        let mut found = [f32::NAN; 3];
        cosines(&x, &[&x[..], &y, &x].concat(), &mut found);
        assert_eq!(found, [1.0, 0.0, 1.0]);
    }

    #[test]
    fn the_largest_components_do_not_overflow() {
        let axis = encoded(&[1.0, 0.0]);
        let other = encoded(&[-1.0, 0.0]);
        assert_eq!(cosine(&axis, &axis), 1.0);
        assert_eq!(cosine(&axis, &other), -1.0);
        let long = encoded(&unit(&[1.0; 4096]));
        assert!((cosine(&long, &long) - 1.0).abs() < 0.002);
    }

    proptest! {
        #[test]
        fn a_cosine_is_off_by_no_more_than_the_steps_allow(
            pairs in proptest::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..600),
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            prop_assume!(exact(&a, &a) > 1e-6 && exact(&b, &b) > 1e-6);
            let (a, b) = (unit(&a), unit(&b));
            let found = f64::from(cosine(&encoded(&a), &encoded(&b)));
            let bound = (a.len() as f64).sqrt() / f64::from(ONE) + 1e-6;
            prop_assert!((found - exact(&a, &b)).abs() <= bound);
        }
    }
}
