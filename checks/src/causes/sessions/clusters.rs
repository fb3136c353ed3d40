//! Numbers that lie so close together that one clock is behind them.

/// The largest distance of one timer's values from their median, as a fraction of it.
const WIDTH: f64 = 0.03;
/// And at least so far, seconds: clocks that are looked at now and then, packets on their way.
const LEAST_S: f64 = 2.0;

/// The largest set of values around one of them, if it has at least `count` members: their places in `values` and their median.
pub(super) fn cluster(values: &[f64], count: usize) -> Option<(Vec<usize>, f64)> {
    let around = |center: f64| -> Vec<usize> {
        let width = (center * WIDTH).max(LEAST_S);
        (0..values.len()).filter(|at| (values[*at] - center).abs() <= width).collect()
    };
    let largest = values.iter().map(|center| around(*center)).max_by_key(Vec::len)?;
    (largest.len() >= count).then(|| {
        let mut members: Vec<f64> = largest.iter().map(|at| values[*at]).collect();
        (largest, median(&mut members))
    })
}

/// The value in the middle; 0 without values.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Returns the largest distance of a value from the one in the middle.
pub(super) fn spread(values: &[f64], center: f64) -> f64 {
    values.iter().map(|value| (value - center).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::cluster;

    #[test]
    fn a_cluster_is_the_largest_set_of_near_values() {
        assert_eq!(cluster(&[3600.0, 100.0, 3601.0, 3599.0], 3), Some((vec![0, 2, 3], 3600.0)));
        assert_eq!(cluster(&[3600.0, 100.0, 3601.0], 3), None);
        assert_eq!(cluster(&[10.0, 11.0, 30.0], 2), Some((vec![0, 1], 11.0)));
        assert_eq!(cluster(&[], 1), None);
    }
}
