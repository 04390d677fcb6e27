//! What the answers amount to.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// When it was sent, or due.
    pub began: Instant,
    /// When it was answered.
    pub ended: Instant,
    /// 0 where it was not.
    pub status: u16,
}

impl Answer {
    /// Of a request that was answered just now.
    pub fn now(began: Instant, status: u16) -> Self {
        Self {
            began,
            ended: Instant::now(),
            status,
        }
    }
}

/// Answers as JSON: `per_second`, and `latency` by status with p50, p95 and p99 in seconds, of
/// requests that began between `counted` and `until`; `statuses` of all.
///
/// Of throughput, each request counts by the part of its time that lies in between: whole batches
/// would make steps of it. `processor`: of one core, what the load itself took.
pub fn summary(answers: &[Answer], counted: Instant, until: Instant, processor: f64) -> String {
    let mut statuses = BTreeMap::<u16, usize>::new();
    let mut latencies = BTreeMap::<u16, Vec<f64>>::from([(200, Vec::new())]);
    let mut answered = 0.0;
    for answer in answers {
        *statuses.entry(answer.status).or_default() += 1;
        let took = answer.ended.duration_since(answer.began).as_secs_f64();
        if answer.status == 200 && took > 0.0 {
            let inside = answer.ended.min(until);
            let inside = inside.saturating_duration_since(answer.began.max(counted));
            answered += inside.as_secs_f64() / took;
        }
        if answer.began >= counted {
            latencies.entry(answer.status).or_default().push(took);
        }
    }
    let seconds = until.duration_since(counted).as_secs_f64();
    let of_answers = latencies.get(&200).map_or(0, Vec::len);
    let statuses = object(
        statuses
            .iter()
            .map(|(status, count)| (status, count.to_string())),
    );
    let quantiles: BTreeMap<u16, String> = latencies
        .into_iter()
        .map(|(status, own)| (status, quantiles(own)))
        .collect();
    let ours = quantiles.get(&200).map_or("", String::as_str);
    let latency = object(
        quantiles
            .iter()
            .map(|(status, own)| (status, format!("{{{own}}}"))),
    );
    format!(
        "{{\"per_second\": {}, {ours}, \"requests\": {of_answers}, \"statuses\": {statuses}, \
         \"processor\": {processor}, \"latency\": {latency}}}",
        answered / seconds
    )
}

fn object<'a>(entries: impl Iterator<Item = (&'a u16, String)>) -> String {
    let mut json = String::from("{");
    for (at, (key, value)) in entries.enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(json, "{comma}\"{key}\": {value}");
    }
    json + "}"
}

/// Seconds within which so many were answered; 0 where none was.
fn quantiles(mut latencies: Vec<f64>) -> String {
    latencies.sort_unstable_by(f64::total_cmp);
    let cut = |percent: usize| {
        let rank = (latencies.len() * percent).div_ceil(100).max(1);
        latencies.get(rank - 1).copied().unwrap_or(0.0)
    };
    format!(
        "\"p50\": {}, \"p95\": {}, \"p99\": {}",
        cut(50),
        cut(95),
        cut(99)
    )
}

/// Processor time that this process has taken: utime and stime of
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, in hundredths of a second.
pub fn processor() -> std::io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_by_its_part_in_the_window() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let answer = |began, ended, status| Answer {
            began: at(began),
            ended: at(ended),
            status,
        };
        // Half of the first, all of the second, a quarter of the third, nothing of a refusal.
        let answers = [
            answer(0, 4, 200),
            answer(2, 3, 200),
            answer(11, 15, 200),
            answer(3, 4, 429),
        ];
        let told = summary(&answers, at(2), at(12), 0.5);
        assert_eq!(
            told,
            "{\"per_second\": 0.175, \"p50\": 1, \"p95\": 4, \"p99\": 4, \"requests\": 2, \
             \"statuses\": {\"200\": 3, \"429\": 1}, \"processor\": 0.5, \"latency\": \
             {\"200\": {\"p50\": 1, \"p95\": 4, \"p99\": 4}, \
             \"429\": {\"p50\": 1, \"p95\": 1, \"p99\": 1}}}"
        );
    }

    #[test]
    fn quantiles_are_latencies_that_were_measured() {
        let hundred = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantiles(hundred), "\"p50\": 50, \"p95\": 95, \"p99\": 99");
        assert_eq!(quantiles(vec![]), "\"p50\": 0, \"p95\": 0, \"p99\": 0");
    }
}
